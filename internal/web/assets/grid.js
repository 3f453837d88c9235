// The grid of users: what is selected, the keyboard, the search box, the columns. The address holds the whole state; this
// script keeps the selection in it, as ids that are known here only, and everything else asks the server for the grid anew.
(() => {
	const $ = (selector, within = document) => within.querySelector(selector);
	const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
	const grid = () => $('#grid');
	const rows = () => $$('#grid tbody tr');
	const search = $('#search');

	// --- What is selected: everybody who matches, or these ids.
	const selection = { all: false, ids: new Set() };
	const read = () => {
		const text = new URLSearchParams(location.search).get('selected') || '';
		selection.all = text === 'all';
		selection.ids = new Set(selection.all ? [] : text.split(',').filter(Boolean));
	};
	const has = (row) => selection.all || selection.ids.has(row.dataset.id);
	const written = () => (selection.all ? 'all' : [...selection.ids].join(','));
	const number = (n) => n.toLocaleString('en');

	// filterOf is an address without what is no filter: where that changes, "all that match" are others.
	const filterOf = (params) => {
		const p = new URLSearchParams(params);
		['sort', 'after', 'before', 'page', 'size', 'columns', 'selected'].forEach((name) => p.delete(name));
		[...p].forEach(([name, value]) => { if (value === '') p.delete(name, value); });
		p.sort();
		return p.toString();
	};
	let filter = filterOf(location.search);

	// carry puts the selection into an address of the grid.
	const carry = (address) => {
		const [path, query] = address.split('?');
		const p = new URLSearchParams(query);
		const text = selection.all && filterOf(p) !== filter ? '' : written();
		if (text) p.set('selected', text); else p.delete('selected');
		return p.size ? path + '?' + p : path;
	};

	// go asks for the grid at the address that change makes of the present one: its first page.
	const go = (change) => {
		const p = new URLSearchParams(location.search);
		change(p);
		['after', 'before', 'page'].forEach((name) => p.delete(name));
		htmx.ajax('GET', carry('/users?' + p), { source: '#users', target: '#grid', swap: 'outerHTML' });
	};

	// --- What the page shows of the selection.
	const total = () => $('#grid-total')?.textContent.trim() || '';
	const show = () => {
		const all = rows();
		const here = all.filter(has).length;
		all.forEach((row) => {
			row.setAttribute('aria-selected', String(has(row)));
			$('input', row).checked = has(row);
		});
		const n = selection.ids.size;
		const some = selection.all || n > 0;
		const page = $('#pick-page');
		if (page) {
			page.checked = all.length > 0 && here === all.length;
			page.indeterminate = here > 0 && here < all.length;
		}
		const box = $('#picked');
		if (box) {
			box.classList.toggle('picked-some', some);
			let text = 'Nobody is selected.';
			if (selection.all) text = 'All that match are selected.';
			else if (n) text = `${n === 1 ? '1 user is' : number(n) + ' users are'} selected${here < n ? `, ${number(n - here)} not on this page` : ''}.`;
			$('#picked-text').textContent = text;
			$('#pick-all').hidden = selection.all;
			$('#pick-none').hidden = !some;
		}
		$('#users-selected').textContent = selection.all ? 'all selected' : n ? number(n) + ' selected' : 'none selected';
		whom();
		const one = only();
		const link = $('#action-sign-in-link');
		if (link) {
			link.classList.toggle('disabled', !one);
			link.toggleAttribute('disabled', !one);
			$('[data-reason]', link).textContent = one ? 'For ' + one : some ? 'Select one user only' : 'Select one user first';
		}
		$$('#grid a[href^="/users"]:not([data-user])').forEach((a) => a.setAttribute('href', carry(a.getAttribute('href'))));
	};
	// whom says in the menu about whom its actions are, and lets none begin where nobody is selected.
	const whom = () => {
		const words = $('#edit-whom');
		if (!words) return;
		const n = selection.ids.size;
		const some = grid().dataset.state === 'users' && (selection.all || n > 0);
		words.textContent = !some ? 'Select users first' : selection.all ? `With all ${total()} that match` : n === 1 ? 'With 1 selected user' : `With ${number(n)} selected users`;
		$$('#actions-menu [data-needs="some"]').forEach((b) => { b.disabled = !some; });
	};
	// only is the LAN ID of the one user who is selected.
	const only = () => {
		if (selection.all || selection.ids.size !== 1) return '';
		const [id] = selection.ids;
		const row = $(`#grid tr[data-id="${CSS.escape(id)}"]`);
		if (row) return row.dataset.lan;
		return grid().dataset.onlyId === id ? grid().dataset.onlyLan : '';
	};
	const changed = () => {
		history.replaceState(history.state, '', carry(location.pathname + location.search));
		show();
	};

	const most = () => Number(grid().dataset.most);
	const pick = (some, on) => {
		// To take somebody out of "all that match" leaves those that are to be seen.
		if (selection.all) {
			selection.all = false;
			selection.ids = new Set(rows().map((row) => row.dataset.id));
		}
		const ids = new Set(selection.ids);
		some.forEach((row) => { if (on) ids.add(row.dataset.id); else ids.delete(row.dataset.id); });
		if (ids.size > most() && on) {
			muster.say('warning', `No more than ${most()} users can be selected one by one`, 'Narrow the filter until it matches whom you mean, and select all that match.');
		} else {
			selection.ids = ids;
		}
		changed();
	};

	// --- Rows: the mouse, the space bar, the arrows. One row is in the order of tabs, the one last used.
	let anchor = null;
	const use = (row, focus = true) => {
		rows().forEach((r) => { r.tabIndex = r === row ? 0 : -1; });
		if (!focus) return;
		// Only up and down: the row may be wider than the window.
		row.focus({ preventScroll: true });
		const box = row.getBoundingClientRect();
		if (box.top < 8) window.scrollBy(0, box.top - 8);
		else if (box.bottom > innerHeight - 8) window.scrollBy(0, box.bottom - innerHeight + 8);
	};
	const range = (from, to) => {
		const all = rows();
		const a = all.indexOf(from);
		const b = all.indexOf(to);
		return a < 0 ? [to] : all.slice(Math.min(a, b), Math.max(a, b) + 1);
	};
	document.addEventListener('click', (e) => {
		const box = e.target.closest('#grid tbody input[type=checkbox]');
		if (box) {
			const row = box.closest('tr');
			pick(e.shiftKey && anchor?.isConnected ? range(anchor, row) : [row], box.checked);
			anchor = row;
			use(row, false);
		} else if (e.target.id === 'pick-page') {
			pick(rows(), e.target.checked);
		} else if (e.target.closest('#pick-all')) {
			selection.all = true;
			selection.ids.clear();
			changed();
			$('#pick-none').focus();
		} else if (e.target.closest('#pick-none')) {
			selection.all = false;
			selection.ids.clear();
			changed();
			$('#pick-all').focus();
		}
	});
	// The browser would select text with the shift key.
	document.addEventListener('mousedown', (e) => { if (e.shiftKey && e.target.closest('#grid tbody input')) e.preventDefault(); });
	document.addEventListener('keydown', (e) => {
		if (e.ctrlKey || e.metaKey || e.altKey || $('dialog[open]')) return;
		const row = e.target.closest?.('#grid tbody tr');
		const all = rows();
		if (!row) {
			const first = all.find((r) => r.tabIndex === 0) || all[0];
			if (first && e.key === 'ArrowDown' && (e.target === document.body || e.target.id === 'main')) { e.preventDefault(); use(first); }
			return;
		}
		const at = all.indexOf(row);
		const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[e.key];
		if (to !== undefined) {
			e.preventDefault();
			const next = all[to];
			if (!next) return;
			if (e.shiftKey) {
				if (!anchor?.isConnected || !has(anchor)) anchor = row;
				pick(range(row, next), true);
			} else anchor = next;
			use(next);
		} else if (e.key === 'Enter' && e.target === row) {
			e.preventDefault();
			$('[data-user]', row)?.click();
		} else if (e.key === ' ') {
			e.preventDefault();
			pick(e.shiftKey && anchor?.isConnected ? range(anchor, row) : [row], e.shiftKey || !has(row));
			anchor = row;
		}
	});

	// --- The search box asks after a pause, and at once with Enter; it is never replaced, so that nothing typed is lost.
	let pause;
	const asked = () => new URLSearchParams(location.search).get('q') || '';
	const ask = () => {
		clearTimeout(pause);
		if (search.value.trim() !== asked()) go((p) => { if (search.value.trim()) p.set('q', search.value.trim()); else p.delete('q'); });
	};
	search.addEventListener('input', () => { clearTimeout(pause); pause = setTimeout(ask, 300); });
	search.addEventListener('search', ask);
	$('#users-search').addEventListener('submit', (e) => { e.preventDefault(); ask(); });
	search.addEventListener('keydown', (e) => {
		if (e.key !== 'ArrowDown' || !rows().length) return;
		e.preventDefault();
		use(rows()[0]);
	});

	// --- Columns and the size of a page.
	document.addEventListener('change', (e) => {
		if (e.target.id === 'page-size') go((p) => p.set('size', e.target.value));
		if (e.target.matches('[data-column]')) go((p) => p.set('columns', ['name', ...$$('[data-column]:checked').map((c) => c.dataset.column)].join(',')));
	});
	document.addEventListener('click', (e) => {
		const button = e.target.closest('[data-columns-default]');
		if (!button) return;
		const standard = button.dataset.columnsDefault.split(',');
		$$('[data-column]').forEach((c) => { c.checked = standard.includes(c.dataset.column); });
		go((p) => p.delete('columns'));
	});

	// --- Actions: letters while their menu is open, and what needs one user.
	document.addEventListener('keydown', (e) => {
		if (e.ctrlKey || e.metaKey || e.altKey) return;
		if ($('#actions').getAttribute('aria-expanded') !== 'true') return;
		const item = $(`#actions-menu [data-key="${CSS.escape(e.key)}"]:not([disabled])`);
		if (item) { e.preventDefault(); item.click(); }
	});
	document.addEventListener('click', (e) => {
		const lan = e.target.closest('#action-sign-in-link') && only();
		if (lan) htmx.ajax('POST', `/users/${encodeURIComponent(lan)}/sign-in-link`, { target: '#dialog', swap: 'innerHTML' });
	});

	// What lies half behind the open menu is out of reach: a click there closes the menu, and does nothing else.
	new MutationObserver(() => { grid().inert = $('#actions').getAttribute('aria-expanded') === 'true'; }).observe($('#actions'), { attributeFilter: ['aria-expanded'] });

	// The dialog gives the focus back to where it was: not to an entry of a menu that is closed.
	document.addEventListener('click', (e) => { if (e.target.closest('#actions-menu .dropdown-item')) $('#actions').focus(); });

	// --- htmx: what is asked for carries the state; what came is made to fit it.
	let opener = '';
	document.addEventListener('htmx:configRequest', (e) => {
		const from = e.detail.elt;
		if (from.matches('a[href^="/users"]:not([data-user])')) e.detail.path = carry(from.getAttribute('href'));
		if (e.detail.target.id === 'dialog' && !$('#dialog').open) opener = from.id;
		if (from.matches('[data-here]')) e.detail.path += location.search;
	});
	let inGrid = false;
	document.addEventListener('htmx:beforeSwap', (e) => {
		if (e.detail.target.id === 'grid') inGrid = grid().contains(document.activeElement);
	});
	document.addEventListener('htmx:afterSwap', (e) => {
		if (e.target.id === 'grid-total') { spread(); return; }
		if (e.target.id !== 'grid') return;
		const dialog = $('#dialog');
		const wasOpen = dialog.open;
		dialog.close();
		const now = filterOf(location.search);
		if (now !== filter && selection.all) read();
		const same = now === filter;
		filter = now;
		if (document.activeElement !== search) search.value = asked();
		spread(same);
		changed();
		$('#grid-says').textContent = grid().dataset.says;
		// The button that opened the dialog is a new one by now.
		if (wasOpen) document.getElementById(opener)?.focus();
		// Where the focus was on what is there no more, it goes on to the rows.
		if (inGrid && document.activeElement === document.body) (rows()[0] || $('#grid a, #grid button'))?.focus();
		anchor = null;
	});
	// spread shows the total wherever it stands. Where the filter is as before, the last one stands until there is another.
	let last = total();
	const spread = (same) => {
		const counting = $('#grid-total')?.hasAttribute('hx-get') && total() === '…';
		if (!(counting && same)) last = counting ? '…' : total() || (grid().dataset.state === 'bad' ? '–' : '0');
		$$('[data-total]').forEach((t) => {
			t.textContent = last;
			t.classList.toggle('counting', last === '…');
		});
		whom();
		const word = $('[data-users]');
		if (word) word.textContent = last === '1' ? 'user' : 'users';
	};

	// --- The dialogs: units are walked through with the arrows, conditions come and go.
	document.addEventListener('keydown', (e) => {
		const within = e.target.closest?.('.unit-picker');
		if (!within) return;
		const all = [$('#unit'), ...$$('[data-unit]', within)];
		const at = all.indexOf(document.activeElement);
		if (e.key === 'ArrowDown' || e.key === 'ArrowUp') {
			e.preventDefault();
			(all[at + (e.key === 'ArrowDown' ? 1 : -1)] || (at < 0 ? all[0] : null))?.focus();
		} else if (e.key === 'Enter' && e.target.id === 'unit') {
			e.preventDefault();
			all[1]?.click();
		}
	});
	// htmx listens a moment after it has put the dialog there, which quick typing would beat.
	let finding;
	document.addEventListener('input', (e) => {
		if (e.target.id !== 'unit') return;
		clearTimeout(finding);
		finding = setTimeout(() => htmx.trigger(e.target, 'find'), 150);
	});
	const fit = (line) => {
		const column = $('[name=column]', line);
		const op = $('[name=op]', line);
		const value = $('[name=value]', line);
		const can = column.selectedOptions[0].dataset.ops.split(' ');
		[...op.options].forEach((o) => { o.hidden = o.disabled = !can.includes(o.value); });
		if (!can.includes(op.value)) op.value = [...op.options].find((o) => !o.disabled).value;
		const type = column.value === 'changed_at' ? 'date' : 'text';
		if (value.type !== type) { value.type = type; }
		value.setAttribute('list', 'values-' + column.value);
		// It stays part of the form, where each line has three fields.
		value.classList.toggle('invisible', op.value === 'empty' || op.value === 'not-empty');
	};
	document.addEventListener('change', (e) => {
		const line = e.target.closest('.condition');
		if (line && e.target.matches('select')) fit(line);
	});
	document.addEventListener('htmx:afterSwap', (e) => { if (e.detail.target.id === 'dialog') $$('#conditions .condition').forEach(fit); });
	document.addEventListener('click', (e) => {
		if (e.target.closest('#add-condition')) {
			const line = $('#condition').content.firstElementChild.cloneNode(true);
			$('#conditions').append(line);
			fit(line);
			$('select', line).focus();
		}
		const remove = e.target.closest('[data-remove-condition]');
		if (remove) {
			remove.closest('.condition').remove();
			$('#add-condition').focus();
		}
		if (e.target.closest('#filters-none')) {
			const form = $('#filters');
			$$('.condition', form).forEach((line) => line.remove());
			$$('select', form).forEach((s) => { s.value = ''; });
			$$('input[type=radio]', form).forEach((r) => { r.checked = r.value === ''; });
			$$('input[type=checkbox]', form).forEach((c) => { c.checked = false; });
			$('#filter-batch').value = '';
			form.requestSubmit();
		}
	});

	read();
	show();
})();
