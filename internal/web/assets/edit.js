// The window of a bulk edit, wherever it is opened: what would come of what is chosen is asked for a moment after each
// choice; lists are searched by typing; what cannot be done is said in the window, which lies above everything else.
(() => {
	const $ = (selector, within = document) => within.querySelector(selector);
	const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
	const form = () => $('#edit-form');
	const ours = (el) => Boolean(el?.closest?.('#edit-form, .edit-file'));

	// --- What would change.
	let pause;
	const ask = (after) => {
		clearTimeout(pause);
		pause = setTimeout(() => { if ($('#edit-effects')) htmx.trigger('#edit-effects', 'effects'); }, after);
	};
	document.addEventListener('change', (e) => {
		if (!form()?.contains(e.target) || !e.target.matches('[data-edit-asks]')) return;
		if (e.target.matches('[data-edit-either]') && e.target.checked) {
			$$('[data-edit-either]', form()).forEach((other) => { if (other !== e.target) other.checked = false; });
		}
		if (e.target.name === 'role') chosen();
		ask(150);
	});
	document.addEventListener('htmx:beforeRequest', (e) => { if (e.detail.elt.id === 'edit-effects') e.detail.elt.setAttribute('aria-busy', 'true'); });
	document.addEventListener('htmx:afterRequest', (e) => {
		if (e.detail.elt.id !== 'edit-effects' || e.detail.xhr.status === 0) return;
		e.detail.elt.removeAttribute('aria-busy');
	});
	document.addEventListener('htmx:afterSwap', (e) => {
		if (e.detail.target.id === 'edit-effects') $('#edit-says').textContent = $('[data-says]', e.detail.target)?.dataset.says || '';
	});

	// --- Roles: those that are chosen are named, also where the search hides them.
	const chosen = () => {
		const names = $$('#edit-roles input:checked').map((i) => $('.user-role-name', i.closest('label')).textContent);
		$('#edit-chosen').textContent = names.length ? `Chosen: ${names.join(', ')}` : 'None is chosen yet.';
	};
	const visible = () => $$('#edit-roles .user-role:not([hidden]) input:not(:disabled)');
	document.addEventListener('input', (e) => {
		if (!ours(e.target)) return;
		if (e.target.matches('[data-edit-find]')) {
			const typed = e.target.value.trim().toLowerCase();
			$$('#edit-roles .user-role').forEach((r) => { r.hidden = !$('.user-role-name', r).textContent.toLowerCase().includes(typed); });
			$('#edit-no-role').hidden = Boolean($('#edit-roles .user-role:not([hidden])'));
		} else if (e.target.matches('[data-edit-find-unit], [data-edit-suggest]')) {
			clearTimeout(finding);
			finding = setTimeout(() => htmx.trigger(e.target, 'find'), 150);
			if (e.target.matches('[data-edit-suggest]')) ask(500);
		}
	});
	let finding;

	// --- The keyboard: from the search down into the list. Enter in the search chooses nothing and sends nothing.
	document.addEventListener('keydown', (e) => {
		if (!ours(e.target) || e.target.id !== 'edit-find') return;
		const list = $('#edit-units') ? $$('#edit-units input') : visible();
		if (e.key === 'ArrowDown' || e.key === 'Enter') {
			e.preventDefault();
			(list.find((i) => i.checked && i.type === 'radio') || list[0])?.focus();
		}
	});
	// Roles are walked through with the arrows as well as with the Tab key.
	document.addEventListener('keydown', (e) => {
		if (!e.target.matches?.('#edit-roles input') || (e.key !== 'ArrowDown' && e.key !== 'ArrowUp')) return;
		e.preventDefault();
		const all = visible();
		const at = all.indexOf(e.target) + (e.key === 'ArrowDown' ? 1 : -1);
		(at < 0 ? $('#edit-find') : all[at])?.focus();
	});

	// --- What goes wrong is said here: notices of the page lie behind the window.
	const trouble = (title, text) => {
		const box = document.createElement('div');
		box.className = 'alert alert-danger';
		box.setAttribute('role', 'alert');
		const words = document.createElement('div');
		const head = document.createElement('div');
		head.className = 'alert-heading';
		head.textContent = title;
		const body = document.createElement('div');
		body.className = 'alert-description';
		body.textContent = text;
		words.append(head, body);
		box.append(words);
		$('#edit-problem')?.replaceChildren(box);
	};
	document.addEventListener('htmx:beforeOnLoad', (e) => {
		if (!form() || !ours(e.detail.elt)) return;
		if (!(e.detail.xhr.getResponseHeader('HX-Redirect') || '').startsWith('/sign-in')) return;
		e.preventDefault();
		trouble('You are signed out', 'Sign in in another tab, then go on here: what you chose is still there.');
	});
	document.addEventListener('htmx:beforeSwap', (e) => {
		if (form() && ours(e.detail.elt) && e.detail.target.id === 'notices') e.detail.target = $('#edit-problem');
	});
	document.addEventListener('htmx:sendError', (e) => {
		if (!form() || !ours(e.detail.elt)) return;
		e.stopImmediatePropagation();
		e.detail.elt.removeAttribute('aria-busy');
		trouble('Muster cannot be reached', 'The connection is gone or the server restarts. Try again in a moment; what you chose is still there.');
	}, true);
})();
