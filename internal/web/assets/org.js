// The org structure's tree: one row is selected and takes the keyboard; rows below a unit come when it is opened. What is
// open and selected is in the address.
(() => {
	const $ = (selector, within = document) => within.querySelector(selector);
	const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
	const card = $('#org');
	if (!card) return;
	const tools = $('#org-tools');
	const rows = () => $$('#org-tree tbody tr.org-row');
	const selected = () => $('#org-tree tr[aria-selected="true"]');
	const id = (row) => row.id.slice(1);
	const level = (row) => Number(row.getAttribute('aria-level'));
	const name = (row) => $('.org-name', row).textContent;
	const isOpen = (row) => row.getAttribute('aria-expanded') === 'true';
	const finding = () => $('#org-part').dataset.find !== '';
	const say = (text) => { $('#org-says').textContent = text; };

	// --- The address, and the buttons that act on what is selected.
	const keep = () => {
		const p = new URLSearchParams(location.search);
		const find = $('#org-part').dataset.find;
		const open = $('#org-open');
		if (find) p.set('q', find); else p.delete('q');
		if (!find) {
			open.value = rows().filter(isOpen).map((row) => Number(id(row)).toString(36)).join('.');
			open.disabled = false;
		}
		if (!open.disabled) p.set('open', open.value);
		const row = selected();
		if (row) p.set('unit', id(row)); else p.delete('unit');
		history.replaceState(null, '', '/org?' + p);
	};
	const show = () => {
		const row = selected();
		tools.hidden = !row;
		if (!row) return;
		$$('[data-do]', tools).forEach((b) => { b.disabled = !row.dataset.may.includes(b.dataset.letter); });
		const users = $('#org-users');
		const link = $('a', row);
		if (users) {
			if (link) users.setAttribute('href', link.getAttribute('href')); else users.removeAttribute('href');
			users.classList.toggle('disabled', !link);
		}
	};
	const select = (row, focus = true) => {
		if (!row) return;
		const before = selected();
		if (before && before !== row) {
			before.setAttribute('aria-selected', 'false');
			before.tabIndex = -1;
		}
		row.setAttribute('aria-selected', 'true');
		row.tabIndex = 0;
		if (focus) {
			row.focus({ preventScroll: true });
			row.scrollIntoView({ block: 'nearest' });
		}
		show();
		keep();
	};

	// --- Opening and closing.
	const under = (row) => {
		const all = [];
		for (let next = row.nextElementSibling; next && level(next) > level(row); next = next.nextElementSibling) all.push(next);
		return all;
	};
	const close = (row) => {
		const below = under(row);
		if (below.includes(selected())) select(row);
		below.forEach((r) => r.remove());
		row.setAttribute('aria-expanded', 'false');
		keep();
	};
	const open = async (row) => {
		if (row.hasAttribute('aria-busy')) return;
		row.setAttribute('aria-busy', 'true');
		let text;
		try {
			const r = await fetch('/org/below?unit=' + id(row), { headers: { 'HX-Request': 'true' }, cache: 'no-store' });
			if (r.headers.get('HX-Redirect')) { location.assign(r.headers.get('HX-Redirect')); return; }
			if (!r.ok) throw new Error(String(r.status));
			text = await r.text();
		} catch {
			row.removeAttribute('aria-busy');
			window.muster.say('warning', name(row) + ' was not opened', 'The connection is gone, or somebody changed the structure. Load the page again.');
			return;
		}
		row.removeAttribute('aria-busy');
		if (!row.isConnected) return;
		const made = document.createElement('template');
		made.innerHTML = text;
		under(row).forEach((r) => r.remove());
		row.after(made.content);
		row.setAttribute('aria-expanded', 'true');
		say(name(row) + ' is open');
		keep();
	};
	const toggle = (row) => (isOpen(row) ? close(row) : open(row));

	// --- The mouse.
	card.addEventListener('click', (e) => {
		const row = e.target.closest('tr.org-row');
		if (!row || e.target.closest('a')) return;
		select(row);
		if (e.target.closest('.org-toggle') && row.hasAttribute('aria-expanded')) toggle(row);
	});
	card.addEventListener('dblclick', (e) => {
		const row = e.target.closest('tr.org-row');
		if (row && !e.target.closest('.org-toggle, a') && row.hasAttribute('aria-expanded')) toggle(row);
	});

	// --- What is done to the selected unit, in the dialog.
	const does = (what) => {
		const row = selected();
		const button = $(`[data-do="${what}"]`, tools);
		if (!row || !button || button.disabled) return;
		const path = what === 'add' ? '/org/add?below=' + id(row) : `/org/units/${id(row)}/${what}`;
		htmx.ajax('GET', path, { source: '#org', target: '#dialog', swap: 'innerHTML' });
	};
	tools.addEventListener('click', (e) => {
		const button = e.target.closest('[data-do]');
		if (button) does(button.dataset.do);
	});
	// Where a dialog is closed, the keyboard is in the tree again.
	$('#dialog').addEventListener('close', () => selected()?.focus());

	// --- The keyboard in the tree.
	const next = (row, step) => {
		const all = rows();
		return all[all.indexOf(row) + step];
	};
	const parent = (row) => {
		for (let r = row.previousElementSibling; r; r = r.previousElementSibling) if (level(r) < level(row)) return r;
		return null;
	};
	let typed = '';
	let typedAt = 0;
	// seek goes to the next row whose name begins with what was typed quickly.
	const seek = (row, key) => {
		typed = Date.now() - typedAt < 700 ? typed + key : key;
		typedAt = Date.now();
		const all = rows();
		const at = all.indexOf(row);
		const from = typed.length > 1 ? at : at + 1;
		select([...all.slice(from), ...all.slice(0, from)].find((r) => name(r).toLowerCase().startsWith(typed)));
	};
	const keys = {
		ArrowDown: (row) => select(next(row, 1)),
		ArrowUp: (row) => select(next(row, -1)),
		Home: () => select(rows()[0]),
		End: () => select(rows().at(-1)),
		PageDown: (row) => select(next(row, 15) || rows().at(-1)),
		PageUp: (row) => select(next(row, -15) || rows()[0]),
		ArrowRight: (row) => {
			if (!row.hasAttribute('aria-expanded')) return;
			if (isOpen(row)) select(next(row, 1)); else open(row);
		},
		ArrowLeft: (row) => { if (isOpen(row)) close(row); else select(parent(row)); },
		Enter: (row) => { if (row.hasAttribute('aria-expanded')) toggle(row); },
		' ': (row) => { if (row.hasAttribute('aria-expanded')) toggle(row); },
		F2: () => does('rename'),
		Delete: () => does('delete'),
		m: () => does('move'),
		n: () => does('add'),
		u: () => { if ($('#org-users')?.hasAttribute('href')) $('#org-users').click(); },
	};
	card.addEventListener('keydown', (e) => {
		const row = e.target.closest('tr.org-row');
		if (!row || e.target !== row || e.ctrlKey || e.metaKey || e.altKey) return;
		const quick = Date.now() - typedAt < 700 && typed.length > 0 && e.key.length === 1 && e.key !== ' ';
		const action = quick ? null : keys[e.key];
		if (action) {
			e.preventDefault();
			e.stopPropagation();
			action(row);
		} else if (e.key.length === 1 && /\p{L}|\p{N}/u.test(e.key) && !['g', 'a'].includes(e.key)) {
			e.stopPropagation();
			seek(row, e.key.toLowerCase());
		}
	});

	// --- Finding: from the box into what is found.
	$('#org-search').addEventListener('keydown', (e) => {
		if (e.key === 'ArrowDown' || e.key === 'Enter') {
			e.preventDefault();
			if ($('#org-part').dataset.find === e.target.value.trim()) select(selected() || rows()[0]);
		}
		if (e.key === 'Escape' && e.target.value === '') selected()?.focus();
	});
	$('#org-find').addEventListener('submit', (e) => e.preventDefault());
	document.addEventListener('htmx:afterSwap', (e) => {
		if (!$('#org-part')) return;
		if (e.detail.target.id === 'org-part' || e.detail.elt?.id === 'org-part') { show(); keep(); }
	});

	// --- At the start: what the address selects is where the keyboard goes on.
	show();
	if (new URLSearchParams(location.search).has('unit') && !finding()) {
		const row = selected();
		row?.focus({ preventScroll: true });
		row?.scrollIntoView({ block: 'nearest' });
	}
})();
