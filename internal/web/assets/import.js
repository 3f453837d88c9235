// The dialogs in which files are uploaded. Selecting or dropping files uploads them at once, or where the dialog has a
// button for it (data-manual) when that is clicked; what else is different stands in the form's attributes. Every page loads
// this beforehand, so that the dialog answers from the moment it is there.
(() => {
	const form = () => document.getElementById('import');
	const part = (name) => form().querySelector(`[data-import-${name}]`);
	let files = [];
	let request = null;

	const size = (n) => {
		for (const [unit, bytes] of [['GB', 1e9], ['MB', 1e6], ['kB', 1e3]]) if (n >= bytes) return (n / bytes).toFixed(n >= 10 * bytes ? 0 : 1) + ' ' + unit;
		return n + ' bytes';
	};
	const announce = (text) => { part('live').textContent = text; };
	const names = () => files.map((f) => f.name).join(', ');
	const manual = () => form().hasAttribute('data-manual');

	// --- The three states of the dialog: idle, busy, and stopped with a problem.
	const state = (name) => {
		const f = form();
		f.dataset.state = name;
		f.querySelector('.import-busy').hidden = name !== 'busy';
		f.querySelector('.import-idle').hidden = name === 'busy';
		part('cancel').hidden = name !== 'busy';
		f.querySelectorAll('.import-options input, .import-options select').forEach((i) => { i.disabled = name === 'busy'; });
		if (manual()) {
			part('upload').hidden = name === 'busy';
			part('chosen').textContent = files.length ? `${files[0].name}, ${size(files[0].size)}` : '';
			part('select').textContent = files.length ? 'Select another file…' : 'Select file…';
		}
		f.closest('dialog')?.toggleAttribute('data-busy', name === 'busy');
	};
	const problem = (title, text, again, ...more) => {
		state('stopped');
		const box = document.createElement('div');
		box.className = 'alert alert-danger';
		const words = document.createElement('div');
		const head = document.createElement('div');
		head.className = 'alert-heading';
		head.textContent = title;
		const body = document.createElement('div');
		body.className = 'alert-description';
		body.textContent = text;
		words.append(head, body);
		if (files.length && again) {
			const kept = document.createElement('div');
			kept.className = 'text-secondary mt-1';
			kept.textContent = 'Selected: ' + names();
			words.append(kept);
		}
		words.append(...more);
		box.append(words);
		document.getElementById('import-problem').replaceChildren(box);
		const retry = manual() ? 'upload' : 'again';
		if (!manual()) part('again').hidden = !again;
		(again ? part(retry) : part('select')).focus();
		box.scrollIntoView?.({ block: 'nearest' });
	};
	const signedOut = () => {
		const link = document.createElement('a');
		link.href = '/sign-in';
		link.target = '_blank';
		link.rel = 'noopener';
		link.className = 'btn mt-2';
		link.textContent = 'Sign in';
		const hint = document.createElement('span');
		hint.className = 'visually-hidden';
		hint.textContent = ' (opens a new tab)';
		link.append(hint);
		problem('You are signed out', 'Your files are still selected. Sign in in the new tab, come back here and try again.', true, link);
		link.focus();
	};

	// --- Uploading.
	const take = (list) => {
		const f = form();
		if (request) return;
		files = [...list];
		const max = Number(f.dataset.maxBytes);
		const large = files.find((file) => file.size > max);
		const most = Number(f.dataset.maxFiles);
		if (!files.length) problem('No files', f.dataset.none, false);
		else if (files.length > most) {
			const n = files.length;
			files = [];
			problem('Too many files', `These are ${n} files; ${f.dataset.many}`, false);
		} else if (large) {
			files = manual() ? [] : files;
			problem('Too large', `${large.name} has ${size(large.size)}; a file may have ${size(max)}. Split it and import the parts one after the other.`, false);
		} else if (manual()) chosen();
		else send();
	};
	// chosen shows what is about to be uploaded.
	const chosen = () => {
		document.getElementById('import-problem').replaceChildren();
		state('idle');
		announce('Selected: ' + names());
		part('upload').focus();
	};

	const send = async () => {
		document.getElementById('import-problem').replaceChildren();
		if (!manual()) part('again').hidden = true;
		part('names').textContent = names();
		part('bytes').textContent = '';
		part('note').textContent = 'Uploading…';
		const bar = document.getElementById('import-progress');
		bar.value = 0;
		const f = form();
		const body = new FormData();
		// What the files are for comes first: the server takes the parts as they come.
		f.querySelectorAll('.import-options input:checked, .import-options select').forEach((i) => body.append(i.name, i.value));
		state('busy');
		part('cancel').focus();
		announce('Uploading ' + names());
		const stop = new AbortController();
		request = stop;
		const standing = await session(stop.signal);
		if (request !== stop) return;
		request = null;
		if (standing === 'signed out') { signedOut(); return; }
		if (standing === 'gone') { unreachable(); return; }
		for (const file of files) body.append('files', file, file.name);
		const xhr = new XMLHttpRequest();
		request = xhr;
		const began = performance.now();
		let said = 0;
		xhr.upload.addEventListener('progress', (e) => {
			if (!e.lengthComputable) return;
			const percent = Math.floor(100 * e.loaded / e.total);
			bar.value = percent;
			const rate = e.loaded / Math.max(.2, (performance.now() - began) / 1000);
			const left = Math.ceil((e.total - e.loaded) / rate);
			part('bytes').textContent = `${size(e.loaded)} of ${size(e.total)} · ${percent} %`;
			if (left > 2) part('note').textContent = `Uploading… about ${left < 90 ? left + ' s' : Math.round(left / 60) + ' min'} left`;
			if (percent >= said + 25 && percent < 100) { said = percent; announce(`${percent} per cent uploaded`); }
		});
		xhr.upload.addEventListener('load', () => { bar.value = 100; part('note').textContent = 'Uploaded. Starting the check…'; announce('Uploaded. Starting the check.'); });
		xhr.addEventListener('load', () => { request = null; answered(xhr); });
		xhr.addEventListener('error', async () => { request = null; await cutOff(); });
		xhr.open('POST', f.getAttribute('action'));
		xhr.setRequestHeader('Accept', 'application/json');
		xhr.send(body);
	};

	// session asks whether an upload would be taken, before a large one sets out.
	const session = async (signal) => {
		try {
			const r = await fetch(form().dataset.limits, { headers: { Accept: 'application/json' }, cache: 'no-store', signal });
			return r.status === 401 ? 'signed out' : 'here';
		} catch {
			return 'gone';
		}
	};
	const unreachable = () => problem('Muster cannot be reached', 'The connection is gone or the server restarts. Your files are still selected: try again in a moment.', true);

	const answered = (xhr) => {
		let said = {};
		try { said = JSON.parse(xhr.responseText); } catch { /* a proxy's page */ }
		if (xhr.status >= 200 && xhr.status < 300 && said.location) { location.assign(said.location); return; }
		if (xhr.status === 401) { signedOut(); return; }
		const text = [said.detail || 'The server refused the files without saying why.', said.reference && `Reference: ${said.reference}`].filter(Boolean).join(' ');
		// A file that is too large stays too large; everything else may be worth another try.
		problem(said.title || `Not uploaded (${xhr.status})`, text, xhr.status !== 413);
	};
	// cutOff finds out as far as possible why an upload broke off without an answer.
	const cutOff = async () => {
		const standing = await session();
		if (standing === 'signed out') signedOut();
		else if (standing === 'gone') unreachable();
		else problem('The upload was cut off', 'Either the connection broke, or a file was changed, moved or is open in another program. Try again, or select the files anew.', true);
	};
	const cancel = () => {
		const running = request;
		request = null;
		running?.abort();
		if (!form()) return;
		state('idle');
		announce('Upload cancelled. Nothing was imported.');
		part('select').focus();
	};

	// --- What people do.
	document.addEventListener('click', (e) => {
		if (e.target.closest('[data-import-select]')) document.getElementById('import-files').click();
		else if (e.target.closest('[data-import-cancel]')) cancel();
		else if (e.target.closest('[data-import-again]')) take(files);
	});
	document.addEventListener('change', (e) => {
		if (e.target.id !== 'import-files' || !e.target.files.length) return;
		const chosen = [...e.target.files];
		e.target.value = ''; // so that selecting the same files again is a change
		take(chosen);
	});
	document.addEventListener('submit', (e) => {
		if (e.target.id !== 'import') return;
		e.preventDefault();
		if (!manual() || request) return;
		if (files.length) send(); else problem('No file yet', form().dataset.none, false);
	});
	// Closing the dialog while it uploads ends the upload; what was selected is not for the next dialog.
	document.addEventListener('close', (e) => {
		if (e.target.id !== 'dialog') return;
		request?.abort();
		request = null;
		files = [];
	}, true);
	document.addEventListener('cancel', (e) => { if (e.target.id === 'dialog' && request && form()) { e.preventDefault(); cancel(); } }, true);
	window.addEventListener('beforeunload', (e) => { if (request) e.preventDefault(); });

	// --- Dropping: anywhere in the dialog, or on the page that has it.
	const zone = (e) => form() && e.target.closest?.('#dialog, #main') && [...(e.dataTransfer?.types || [])].includes('Files');
	let over = 0;
	const mark = (on) => form()?.classList.toggle('is-over', on);
	document.addEventListener('dragenter', (e) => { if (zone(e)) { e.preventDefault(); over++; mark(true); } });
	document.addEventListener('dragleave', (e) => { if (zone(e)) { over = Math.max(0, over - 1); mark(over > 0); } });
	document.addEventListener('dragover', (e) => { if (zone(e)) { e.preventDefault(); e.dataTransfer.dropEffect = request ? 'none' : 'copy'; } });
	document.addEventListener('drop', (e) => {
		if (!zone(e)) return;
		e.preventDefault();
		over = 0;
		mark(false);
		if (request) return;
		const folders = [...e.dataTransfer.items].some((item) => item.webkitGetAsEntry?.()?.isDirectory);
		if (folders) { files = []; problem('That is a folder', form().dataset.folder, false); return; }
		take(e.dataTransfer.files);
	});
})();
