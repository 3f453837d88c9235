// The pages of bulk actions: what a running batch says, where the focus goes, and what is typed or clicked once.
(() => {
	if (window.musterBatch) return;
	window.musterBatch = true;
	const $ = (selector, within = document) => within.querySelector(selector);

	// --- While a batch runs: tell now and then, not with every look.
	let said = { phase: null, percent: -100, at: 0 };
	const announce = (text) => { const live = $('#batch-live'); if (live) live.textContent = text; };
	const tell = () => {
		const bar = $('#progress progress');
		if (!bar) return;
		const phase = bar.dataset.phase, percent = Number(bar.dataset.percent || 0), now = Date.now();
		if (phase === said.phase && (percent < said.percent + 20 || now < said.at + 10000)) return;
		said = { phase, percent, at: now };
		const words = $('[data-progress-words]')?.textContent || '';
		announce(bar.dataset.percent ? `${words}, ${percent} per cent` : words);
	};
	const trouble = (text) => {
		const place = $('#progress [data-progress-trouble]');
		if (place && place.textContent !== text) { place.textContent = text; announce(text); }
	};
	const polls = (e) => e.detail.elt?.matches?.('[data-poll]');
	// A server that restarts, or a proxy that has none behind it, is asked again; what it says meanwhile is not shown.
	document.addEventListener('htmx:beforeSwap', (e) => {
		if (!polls(e) || e.detail.xhr.status < 500) return;
		e.detail.shouldSwap = false;
		trouble('Reconnecting…');
	});
	document.addEventListener('htmx:sendError', (e) => { if (polls(e)) { e.stopImmediatePropagation(); trouble('Reconnecting…'); } }, true);
	document.addEventListener('htmx:timeout', (e) => { if (polls(e)) trouble('Reconnecting…'); });
	// A menu that is open is not taken away.
	document.addEventListener('htmx:beforeRequest', (e) => {
		if (polls(e) && $('[data-menu][aria-expanded="true"]', e.detail.elt)) e.preventDefault();
	});

	// --- Where the focus goes when something new arrives.
	let rows = false;
	document.addEventListener('click', (e) => {
		if (e.target.closest('[data-to-rows]')) rows = true;
	});
	// Nobody imports twice by clicking twice.
	document.addEventListener('submit', (e) => {
		if (!e.target.matches('form[data-once]')) return;
		e.target.querySelectorAll('button').forEach((b) => setTimeout(() => { b.disabled = true; b.dataset.clicked = ''; }));
	});
	window.addEventListener('pageshow', () => document.querySelectorAll('button[data-clicked]').forEach((b) => { b.disabled = false; delete b.dataset.clicked; }));
	document.addEventListener('htmx:afterSettle', (e) => {
		const id = e.detail.target?.id;
		if (id === 'progress') tell();
		else if (id === 'main') {
			said = { phase: null, percent: -100, at: 0 };
			$('#batch-title')?.focus({ preventScroll: true });
		} else if (id === 'result' && rows) {
			rows = false;
			$('#rows-title')?.focus();
		}
	});
})();
