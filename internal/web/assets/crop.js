// One picture by hand: which square of it is to be seen. It is shown as soon as it is selected, with a frame that is moved and
// sized with the mouse, a finger or the keys; the form gets the frame in pixels of the upright picture, and the server cuts.
// Without this script the centre is taken.
(() => {
	const $ = (name) => document.querySelector(`[data-crop-${name}]`);
	const box = () => $('box');
	const picked = () => document.getElementById('picture');
	// In pixels of the upright picture: its sides, and the square that is chosen.
	let pic = null;
	let kept = null; // the file, for when the form comes back without it

	const least = () => Math.min(Number(box().dataset.least), pic.w, pic.h);
	const clamp = (n, from, to) => Math.min(Math.max(n, from), to);

	// fit keeps the square within the picture, in whole pixels.
	const fit = () => {
		pic.size = Math.round(clamp(pic.size, least(), Math.min(pic.w, pic.h)));
		pic.x = Math.round(clamp(pic.x, 0, pic.w - pic.size));
		pic.y = Math.round(clamp(pic.y, 0, pic.h - pic.size));
	};
	const draw = () => {
		fit();
		const scale = $('image').getBoundingClientRect().width / pic.w;
		const frame = $('frame');
		frame.style.left = pic.x * scale + 'px';
		frame.style.top = pic.y * scale + 'px';
		frame.style.width = frame.style.height = pic.size * scale + 'px';
		const range = $('size');
		range.min = least();
		range.max = Math.min(pic.w, pic.h);
		range.value = pic.size;
		document.querySelector('[name=crop_x]').value = pic.x;
		document.querySelector('[name=crop_y]').value = pic.y;
		document.querySelector('[name=crop_size]').value = pic.size;
		const canvas = $('preview');
		canvas.getContext('2d').drawImage($('image'), pic.x, pic.y, pic.size, pic.size, 0, 0, canvas.width, canvas.height);
		$('says').textContent = `${pic.size} × ${pic.size} of ${pic.w} × ${pic.h} pixels`;
	};
	const move = (dx, dy) => { pic.x += dx; pic.y += dy; draw(); };
	// resize keeps the middle where it is.
	const resize = (size) => {
		const before = pic.size;
		pic.size = clamp(size, least(), Math.min(pic.w, pic.h));
		pic.x += (before - pic.size) / 2;
		pic.y += (before - pic.size) / 2;
		draw();
	};

	// --- A picture is selected: it is shown at once, and the server is asked what it thinks of it.
	const nothing = () => {
		pic = null;
		if (!box()) return;
		box().hidden = true;
		['crop_x', 'crop_y', 'crop_size'].forEach((name) => { document.querySelector(`[name=${name}]`).value = ''; });
	};
	const shown = async (file, frame) => {
		nothing();
		kept = file;
		const name = document.querySelector('[name=picture_name]');
		if (name) name.value = file ? file.name : '';
		if (!file) return;
		const image = new Image();
		const reader = new FileReader();
		const loaded = new Promise((done, failed) => {
			reader.onload = () => { image.onload = done; image.onerror = failed; image.src = reader.result; };
			reader.onerror = failed;
		});
		reader.readAsDataURL(file);
		try { await loaded; } catch { return; } // what is wrong with it the server says below the field
		if (picked()?.files[0] !== file) return; // another one meanwhile
		const shownImage = $('image');
		shownImage.src = image.src;
		await shownImage.decode().catch(() => {});
		const w = image.naturalWidth, h = image.naturalHeight, size = Math.min(w, h);
		pic = frame || { w, h, size, x: (w - size) / 2, y: (h - size) / 2 };
		box().hidden = false;
		draw();
	};
	document.addEventListener('change', (e) => {
		if (e.target !== picked()) return;
		const file = picked().files[0];
		if (file && file.size >= Number(picked().dataset.maxBytes)) {
			// It is not even sent.
			e.stopImmediatePropagation();
			picked().value = '';
			shown(null);
			const note = document.createElement('div');
			note.className = 'user-note-error';
			note.textContent = `${file.name}: ${picked().dataset.tooLarge}`;
			document.getElementById('note-picture').replaceChildren(note);
			return;
		}
		shown(file);
	}, true);

	// --- The form comes back with what is to be mended: a browser gives no file back, so it is put in again.
	document.addEventListener('htmx:afterSettle', (e) => {
		if (e.target.id !== 'user-form' && e.detail.target?.id !== 'user-form') return;
		if (!kept || !picked() || picked().files.length) return;
		const again = new DataTransfer();
		again.items.add(kept);
		picked().files = again.files;
		shown(kept, pic);
	});

	// --- The frame: dragged, or moved and sized with the keys; a click beside it takes it there.
	let drag = null;
	document.addEventListener('pointerdown', (e) => {
		if (!pic || e.button || !e.target.closest?.('[data-crop-stage]')) return;
		const at = $('image').getBoundingClientRect();
		const scale = at.width / pic.w;
		const corner = e.target.closest('[data-crop-corner]');
		if (!corner && !e.target.closest('[data-crop-frame]')) {
			pic.x = (e.clientX - at.left) / scale - pic.size / 2;
			pic.y = (e.clientY - at.top) / scale - pic.size / 2;
			draw();
		}
		drag = { corner: Boolean(corner), scale, fromX: e.clientX, fromY: e.clientY, x: pic.x, y: pic.y, size: pic.size };
		$('stage').setPointerCapture(e.pointerId);
		$('frame').focus({ preventScroll: true });
		e.preventDefault();
	});
	document.addEventListener('pointermove', (e) => {
		if (!drag || !pic) return;
		const dx = (e.clientX - drag.fromX) / drag.scale, dy = (e.clientY - drag.fromY) / drag.scale;
		if (drag.corner) {
			pic.size = clamp(drag.size + Math.max(dx, dy), least(), Math.min(pic.w - drag.x, pic.h - drag.y));
		} else {
			pic.x = drag.x + dx;
			pic.y = drag.y + dy;
		}
		draw();
	});
	['pointerup', 'pointercancel'].forEach((name) => document.addEventListener(name, () => { drag = null; }));
	document.addEventListener('keydown', (e) => {
		if (!pic || !e.target.closest?.('[data-crop-frame]') || e.ctrlKey || e.metaKey || e.altKey) return;
		const step = Math.max(1, Math.round(Math.min(pic.w, pic.h) * (e.shiftKey ? .002 : .02)));
		const does = {
			ArrowLeft: () => move(-step, 0), ArrowRight: () => move(step, 0), ArrowUp: () => move(0, -step), ArrowDown: () => move(0, step),
			'+': () => resize(pic.size + 2 * step), '=': () => resize(pic.size + 2 * step), '-': () => resize(pic.size - 2 * step),
			Enter: () => {}, ' ': () => {},
		}[e.key];
		if (!does) return;
		e.preventDefault();
		e.stopPropagation();
		does();
	}, true);
	document.addEventListener('input', (e) => { if (pic && e.target === $('size')) resize(Number(e.target.value)); });
	document.addEventListener('click', (e) => {
		const by = e.target.closest?.('[data-crop-by]');
		if (!pic || !by) return;
		const step = Math.round(Math.min(pic.w, pic.h) * .05);
		const [dx, dy] = by.dataset.cropBy.split(',').map(Number);
		move(dx * step, dy * step);
	});
	window.addEventListener('resize', () => { if (pic && !box().hidden) draw(); });
	// A step that was hidden when the picture was drawn has no size: it is drawn again when it is shown.
	document.addEventListener('click', () => setTimeout(() => { if (pic && box() && !box().hidden) draw(); }));
})();
