// The pages of one user: the form's steps, its live checks, and lists that grow. The form works without it as well, with
// all steps one below the other.
(() => {
	const $ = (selector, within = document) => within.querySelector(selector);
	const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
	const form = () => $('#user-form');
	const fields = (within) => $$('[data-field]', within);
	const inputs = (field) => $$('input:not([type=search]):not([type=hidden]), select', field);
	const field = (id) => fields(form()).find((f) => f.dataset.field === id);

	// --- Steps: one is shown. The address names it, so that the browser's back button goes back a step.
	const names = () => $$('.user-step', form()).map((s) => s.dataset.step);
	const here = () => form().dataset.at;
	const step = (name) => $(`.user-step[data-step="${CSS.escape(name)}"]`, form());
	const show = (name, focus) => {
		if (!form() || !names().includes(name)) return;
		form().dataset.at = name;
		$('#user-step').value = name;
		$$('.user-step', form()).forEach((s) => s.classList.toggle('is-here', s.dataset.step === name));
		$$('.user-steps [data-to-step]', form()).forEach((a) => {
			if (a.dataset.toStep === name) a.setAttribute('aria-current', 'step'); else a.removeAttribute('aria-current');
		});
		$$('[data-step-next]', form()).forEach((b) => { b.hidden = b.dataset.stepNext !== name; });
		$('[data-step-back]', form()).hidden = names()[0] === name;
		if (name === 'summary') { touchAll(form()); check(); }
		if (focus) {
			$('h2', step(name)).focus({ preventScroll: true });
			scrollTo(0, 0);
		}
	};
	const go = (name) => {
		history.pushState(null, '', '#step-' + name);
		show(name, true);
	};
	const wanted = () => location.hash.replace(/^#step-/, '');
	// The browser takes the focus to what the address names, and only then it goes to the heading.
	window.addEventListener('popstate', () => setTimeout(() => { if (form()) show(names().includes(wanted()) ? wanted() : names()[0], true); }));

	// --- Live checks: of the fields that somebody has been in, a moment after they stop typing.
	const touched = new Set();
	const touchAll = (within) => fields(within).forEach((f) => touched.add(f.dataset.field));
	let pause;
	const check = () => {
		clearTimeout(pause);
		$('#user-touched').value = [...touched].join(' ');
		htmx.trigger('#user-check', 'check');
	};
	// What the notes say is also said of the fields: which are wrong, and how many there are in each step.
	const wrong = (f) => Boolean($('.user-note [data-error]', f));
	const mark = () => {
		if (!form()) return;
		fields(form()).forEach((f) => inputs(f).forEach((i) => {
			if (i.type === 'checkbox') return;
			i.classList.toggle('is-invalid', wrong(f));
			if (wrong(f)) i.setAttribute('aria-invalid', 'true'); else i.removeAttribute('aria-invalid');
		}));
		$$('[data-step-problems]', form()).forEach((badge) => {
			const n = fields(step(badge.dataset.stepProblems)).filter(wrong).length;
			badge.hidden = n === 0;
			$('[data-number]', badge).textContent = n;
		});
	};
	const focusWrong = (within) => {
		const f = fields(within).find(wrong);
		if (!f) return false;
		(inputs(f)[0] || f).focus();
		return true;
	};

	// --- Next: what is wrong in the step is said first.
	let leaving = '';
	const after = () => names()[names().indexOf(here()) + 1];
	const next = () => {
		if (!after()) return;
		leaving = here();
		touchAll(step(leaving));
		check();
	};
	document.addEventListener('htmx:afterRequest', (e) => {
		if (e.detail.elt.id === 'picture') mark();
		if (e.detail.elt.id !== 'user-check') return;
		// One that a newer check has taken the place of says nothing.
		if (!e.detail.successful) { if (e.detail.xhr.status) leaving = ''; return; }
		mark();
		if (!leaving || leaving !== here()) return;
		leaving = '';
		if (!focusWrong(step(here()))) go(after());
	});
	// Where the check cannot be asked, nobody is held up: saving asks again.
	document.addEventListener('htmx:sendError', (e) => {
		if (e.detail.elt.id !== 'user-check' || !leaving) return;
		leaving = '';
		go(after());
	});
	// A note that says the same as before is left alone, so that it is not read out again.
	const squeeze = (el) => el.textContent.replace(/\s+/g, ' ').trim();
	document.addEventListener('htmx:oobBeforeSwap', (e) => {
		if (e.detail.target.classList.contains('user-note') && squeeze(e.detail.target) === squeeze(e.detail.fragment)) e.detail.shouldSwap = false;
	});

	// --- Typing.
	let dirty = false;
	let finding;
	document.addEventListener('input', (e) => {
		if (e.target.matches('[data-suggest]')) {
			clearTimeout(finding);
			finding = setTimeout(() => htmx.trigger(e.target, 'find'), 150);
		}
		if (e.target.matches('[data-find-role]')) { findRole(e.target); return; }
		if (!form() || !form().contains(e.target)) return;
		dirty = true;
		const of = e.target.closest('[data-field]');
		if (!of) return;
		touched.add(of.dataset.field);
		$$(`[data-take="${CSS.escape(of.dataset.field)}"][value=yours]`).forEach((r) => { r.checked = true; });
		clearTimeout(pause);
		pause = setTimeout(check, 400);
	});
	document.addEventListener('keydown', (e) => { if (e.key === 'Enter' && e.target.matches('[data-find-role]')) e.preventDefault(); });
	// Enter goes on to the next step of somebody new; it adds them in the last one.
	document.addEventListener('submit', (e) => {
		if (e.target !== form() || !form().hasAttribute('data-new') || !after()) return;
		e.preventDefault();
		e.stopPropagation();
		next();
	}, true);
	const findRole = (box) => {
		const typed = box.value.trim().toLowerCase();
		$$('.user-role', form()).forEach((r) => { r.hidden = !$('.user-role-name', r).textContent.toLowerCase().includes(typed); });
	};
	const set = (id, value) => {
		const f = field(id);
		if (!f) return;
		if (id === 'role') {
			const names = value.split(', ');
			inputs(f).forEach((i) => { if (!i.disabled) i.checked = names.includes(i.value); });
		} else {
			const i = inputs(f)[0];
			i.value = value;
			// What a choice does not list is as usual.
			if (i.value !== value) i.value = '';
		}
		touched.add(id);
	};

	// --- Clicks.
	document.addEventListener('click', (e) => {
		const to = e.target.closest('[data-to-step]');
		if (to) {
			e.preventDefault();
			go(to.dataset.toStep);
			if (to.dataset.toField) inputs(field(to.dataset.toField))[0]?.focus();
		}
		if (e.target.closest('[data-step-next]')) next();
		if (e.target.closest('[data-step-back]')) go(names()[names().indexOf(here()) - 1]);
		const use = e.target.closest('[data-use]');
		if (use) {
			const f = use.closest('[data-field]');
			if (f.dataset.field !== 'role') {
				set(f.dataset.field, use.dataset.use);
				inputs(f)[0].focus();
			} else {
				inputs(f).forEach((i) => { if (i.value === use.dataset.use) i.checked = true; if (i.value === use.dataset.instead) i.checked = false; });
			}
			dirty = true;
			check();
		}
		const all = e.target.closest('[data-take-all]');
		if (all) {
			$$(`[data-take][value=${all.dataset.takeAll}]`, form()).forEach((r) => { r.checked = true; set(r.dataset.take, r.dataset.value); });
			check();
		}
		if (e.target.closest('[data-leave]')) dirty = false;
		const dialog = e.target.closest('[data-cancel]')?.closest('dialog');
		if (dialog) { e.preventDefault(); dialog.close(); }
	});
	document.addEventListener('change', (e) => {
		if (!e.target.matches('[data-take]')) return;
		set(e.target.dataset.take, e.target.dataset.value);
		check();
	});

	// --- Saving. Who is signed out meanwhile keeps what they typed.
	const ours = (el) => el.id === 'user-check' || el.id === 'user-form' || el.id === 'picture' || el.matches?.('[data-suggest], #dialog form');
	document.addEventListener('htmx:beforeOnLoad', (e) => {
		if (!ours(e.detail.elt)) return;
		const to = e.detail.xhr.getResponseHeader('HX-Redirect') || '';
		if (to.startsWith('/sign-in')) {
			e.preventDefault();
			leaving = '';
			muster.say('warning', 'You are signed out', 'Sign in in another tab, then go on here: what you typed is still in the form.');
		} else if (to) dirty = false;
	});
	document.addEventListener('htmx:beforeSwap', (e) => { if (e.detail.target.id === 'user-form') $('#notices').replaceChildren(); });
	document.addEventListener('htmx:afterSettle', (e) => {
		if (e.detail.target.id === 'user-form' || e.target.id === 'user-form') returned();
	});
	const returned = () => {
		if (!form().hasAttribute('data-returned')) return;
		dirty = true;
		touchAll(form());
		show(here(), false);
		if ($('.user-conflict', form()) || !focusWrong(step(here()))) {
			$('#user-trouble').focus({ preventScroll: true });
			scrollTo(0, 0);
		}
	};
	// Browsers ask nobody who has not done anything yet, and complain where they are told to.
	window.addEventListener('beforeunload', (e) => { if (dirty && form() && navigator.userActivation?.hasBeenActive !== false) e.preventDefault(); });

	// --- Lists that grow: the focus goes on to what came.
	let grew = null;
	document.addEventListener('htmx:beforeRequest', (e) => { if (e.detail.elt.matches('[data-more]')) grew = e.detail.elt.closest('ul, tbody'); });
	document.addEventListener('htmx:beforeSwap', (e) => { if (grew) $$('[data-arrived]', grew).forEach((x) => x.removeAttribute('data-arrived')); });
	document.addEventListener('htmx:afterSettle', () => {
		const first = grew && $('[data-arrived]', grew);
		if (!first) return;
		grew = null;
		const target = $('a', first) || first;
		if (target === first) first.tabIndex = -1;
		target.focus();
	});

	if (form()) {
		if (names().includes(wanted()) && !form().hasAttribute('data-returned')) show(wanted(), false);
		else show(here(), false);
		if (form().hasAttribute('data-returned')) returned();
		mark();
	}
	// That something was done is said once.
	if ($('[data-done]')) history.replaceState(history.state, '', location.pathname);
})();
