// The page of a role: all rights of a row at once.
(() => {
	const boxes = (button) => [...button.closest('tr').querySelectorAll('input[type=checkbox]:not(:disabled)')];
	for (const button of document.querySelectorAll('[data-row-all]')) button.hidden = boxes(button).length === 0;
	document.addEventListener('click', (e) => {
		const button = e.target.closest('[data-row-all]');
		if (!button) return;
		const all = boxes(button);
		const on = !all.every((box) => box.checked);
		for (const box of all) box.checked = on;
	});
})();
