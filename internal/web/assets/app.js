// What every page shares: menus, dialogs, notices, the theme, the keyboard. Pages work without it as far as they can.
(() => {
	const $ = (selector, within = document) => within.querySelector(selector);
	const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];

	// --- Dialogs: native ones, so that Escape, the focus and what lies behind are the browser's business.
	const open = (dialog) => { if (dialog && !dialog.open) dialog.showModal(); };
	document.addEventListener('click', (e) => {
		const opener = e.target.closest('[data-open]');
		if (opener) open($(opener.dataset.open));
		const closer = e.target.closest('[data-close]');
		if (closer) closer.closest('dialog')?.close();
		const dismiss = e.target.closest('[data-dismiss]');
		if (dismiss) dismiss.closest('.alert')?.remove();
		if (e.target.matches('dialog.sheet') && !e.target.hasAttribute('data-busy')) {
			const box = e.target.getBoundingClientRect();
			if (e.clientX < box.left || e.clientX > box.right || e.clientY < box.top || e.clientY > box.bottom) e.target.close();
		}
	});
	// What htmx puts into the dialog opens it.
	document.addEventListener('htmx:afterSwap', (e) => {
		if (e.detail.target.id !== 'dialog') return;
		open(e.detail.target);
		$('[autofocus]', e.detail.target)?.focus();
	});

	// --- Menus: a button with data-menu and the menu after it.
	const items = (menu) => $$('.dropdown-item:not(.disabled):not([disabled])', menu);
	const closeMenus = (except) => $$('[data-menu][aria-expanded="true"]').forEach((b) => {
		if (b === except) return;
		b.setAttribute('aria-expanded', 'false');
		b.nextElementSibling.classList.remove('show');
	});
	const openMenu = (button, at = 0) => {
		closeMenus(button);
		button.setAttribute('aria-expanded', 'true');
		button.nextElementSibling.classList.add('show');
		const all = items(button.nextElementSibling);
		if (at !== null) all.at(at)?.focus();
	};
	document.addEventListener('click', (e) => {
		const button = e.target.closest('[data-menu]');
		if (!button) {
			if (!e.target.closest('.dropdown-menu[data-stay]')) closeMenus();
			return;
		}
		if (button.getAttribute('aria-expanded') === 'true') closeMenus();
		else openMenu(button, e.detail === 0 ? 0 : null);
	});
	document.addEventListener('keydown', (e) => {
		const button = e.target.closest?.('[data-menu]');
		if (button && (e.key === 'ArrowDown' || e.key === 'ArrowUp')) {
			e.preventDefault();
			openMenu(button, e.key === 'ArrowDown' ? 0 : -1);
			return;
		}
		const menu = e.target.closest?.('.dropdown-menu');
		if (!menu) return;
		const opener = menu.previousElementSibling;
		const all = items(menu);
		const at = all.indexOf(document.activeElement);
		const go = (i) => { e.preventDefault(); all.at(i % all.length)?.focus(); };
		if (e.key === 'Escape') { e.preventDefault(); e.stopPropagation(); closeMenus(); opener.focus(); }
		else if (e.key === 'Tab' && !menu.hasAttribute('data-stay')) closeMenus();
		else if (!menu.hasAttribute('data-stay')) {
			if (e.key === 'ArrowDown') go(at + 1);
			else if (e.key === 'ArrowUp') go(at - 1);
			else if (e.key === 'Home') go(0);
			else if (e.key === 'End') go(-1);
		}
	});

	// --- The navigation of a narrow window.
	document.addEventListener('click', (e) => {
		const toggle = e.target.closest('[data-nav-toggle]');
		if (!toggle) return;
		const shown = $('#nav').classList.toggle('show');
		toggle.setAttribute('aria-expanded', String(shown));
	});

	// --- The theme: as the system, light, dark, and around.
	document.addEventListener('click', async (e) => {
		const button = e.target.closest('[data-theme-switch]');
		if (!button) return;
		const next = { '': 'light', light: 'dark', dark: '' }[button.dataset.themeSwitch];
		const root = document.documentElement;
		root.toggleAttribute('data-theme-chosen', next !== '');
		root.setAttribute('data-bs-theme', next || (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'));
		button.dataset.themeSwitch = next;
		const label = 'Theme: ' + (next || 'as the system');
		button.setAttribute('aria-label', label);
		button.title = label;
		$('use', button).setAttribute('href', document.body.dataset.icons + '#' + ({ light: 'sun', dark: 'moon' }[next] || 'device-desktop'));
		await fetch('/theme', { method: 'POST', body: new URLSearchParams({ theme: next }) });
	});

	// --- Notices that a script has to give.
	const notices = () => $('#notices');
	const say = (kind, title, text) => {
		const box = document.createElement('div');
		box.className = `alert alert-${kind} alert-dismissible`;
		box.setAttribute('role', kind === 'danger' ? 'alert' : 'status');
		const words = document.createElement('div');
		const head = document.createElement('div');
		head.className = 'alert-heading';
		head.textContent = title;
		const body = document.createElement('div');
		body.className = 'alert-description';
		body.textContent = text || '';
		words.append(head, body);
		const close = document.createElement('button');
		close.type = 'button';
		close.className = 'btn-close';
		close.setAttribute('aria-label', 'Dismiss');
		close.setAttribute('data-dismiss', '');
		box.append(words, close);
		notices().replaceChildren(box);
	};
	document.addEventListener('htmx:sendError', () => say('warning', 'Muster cannot be reached', 'The connection is gone or the server restarts. What was running goes on there. This page tries again by itself where it can.'));
	document.addEventListener('htmx:afterRequest', (e) => { if (e.detail.successful && $('#notices .alert-warning')) notices().replaceChildren(); });

	// --- The keyboard. Single letters only where nobody types.
	const typing = (el) => el.matches?.('input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable="true"], .tabulator *');
	let leader = 0;
	document.addEventListener('keydown', (e) => {
		if (e.key === 'Escape') closeMenus();
		if (e.ctrlKey || e.metaKey || e.altKey || typing(e.target) || $('dialog[open]')) return;
		if (Date.now() - leader < 1500) {
			leader = 0;
			const to = { u: '/users', b: '/batches' }[e.key];
			const link = to && $(`#nav a[href="${to}"]`);
			if (link) { e.preventDefault(); link.click(); return; }
		}
		switch (e.key) {
		case 'g': leader = Date.now(); break;
		case '?': e.preventDefault(); open($('#help')); break;
		case '/': {
			e.preventDefault();
			const box = $('input[type=search]');
			if (box) { box.focus(); box.select(); } else $('#nav a[href="/users"]')?.click();
			break;
		}
		case 'a': $('[data-menu="actions"]')?.click(); break;
		case 'ArrowLeft': $('[rel=prev]:not([aria-disabled])')?.click(); break;
		case 'ArrowRight': $('[rel=next]:not([aria-disabled])')?.click(); break;
		}
	});

	// --- Times are shown as the reader's clock has them.
	const localTimes = (within) => $$('time[datetime]', within).forEach((t) => {
		const at = new Date(t.dateTime);
		if (isNaN(at)) return;
		t.title = at.toLocaleString();
		if (t.hasAttribute('data-clock')) t.textContent = at.toLocaleString();
	});
	document.addEventListener('DOMContentLoaded', () => localTimes(document));
	document.addEventListener('htmx:afterSettle', (e) => localTimes(e.target));

	// --- Copying, for what is shown once.
	document.addEventListener('click', async (e) => {
		const button = e.target.closest('[data-copy]');
		if (!button) return;
		const from = $(button.dataset.copy);
		try {
			await navigator.clipboard.writeText(from.value ?? from.textContent);
			button.classList.add('is-done');
		} catch {
			from.select?.();
		}
	});

	window.muster = { say, open };
})();
