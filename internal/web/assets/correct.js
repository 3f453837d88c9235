// Correcting cells in place. What the server says of rows is only ever shown as text.
(() => {
	const $ = (id) => document.getElementById(id);
	const grid = $('correct-grid');
	if (!grid) return;
	const byId = new Map(); // rows as the server has them
	let table = null;

	const show = (title, text) => {
		const box = document.createElement('div');
		box.className = 'alert alert-danger m-3';
		const words = document.createElement('div');
		const head = document.createElement('div');
		head.className = 'alert-heading';
		head.textContent = title;
		const body = document.createElement('div');
		body.textContent = text;
		words.append(head, body);
		box.append(words);
		$('correct-problem').replaceChildren(box);
	};
	const state = (text) => { $('correct-state').textContent = text; };
	const pending = (n) => {
		$('correct-run').disabled = n === 0;
		$('correct-run-words').textContent = n === 0 ? 'Run the corrected rows' : `Run the ${n.toLocaleString('en')} corrected row${n === 1 ? '' : 's'}`;
	};
	const ask = async (url, options = {}) => {
		let r;
		try {
			r = await fetch(url, { cache: 'no-store', ...options, headers: { Accept: 'application/json', 'Content-Type': 'application/json' } });
		} catch {
			throw { title: 'Muster cannot be reached', detail: 'The connection is gone or the server restarts. Try again in a moment.' };
		}
		const said = await r.json().catch(() => ({}));
		if (r.status === 401) throw { title: 'You are signed out', detail: 'Sign in in another tab, then make the change again.' };
		if (!r.ok) throw { title: said.title || 'Not saved', detail: said.detail || '' };
		return said;
	};

	// --- What a cell looks like: wrong, mended, or nothing in particular.
	const problemsOf = (data, field) => (byId.get(data.id)?.problems || []).filter((p) => p.field === field);
	const format = (cell) => {
		const field = cell.getField(), data = cell.getData(), el = cell.getElement(), value = cell.getValue() ?? '';
		const wrong = problemsOf(data, field), row = byId.get(data.id);
		const original = row?.original[field] ?? '';
		const mended = row && field in row.original && value !== original;
		const error = wrong.some((p) => p.severity === 'error');
		el.classList.toggle('is-wrong', error && !mended);
		el.classList.toggle('is-odd', wrong.length > 0 && !error && !mended);
		el.classList.toggle('is-mended', mended);
		if (error && !mended) el.setAttribute('aria-invalid', 'true'); else el.removeAttribute('aria-invalid');
		if (mended) el.title = original === '' ? 'Was blank' : `Was: ${original}`;
		else if (wrong.length) el.title = wrong.map((p) => p.message).join(' ');
		else el.removeAttribute('title');
		return document.createTextNode(value === '' ? '\u00a0' : value);
	};
	const heading = (text) => () => document.createTextNode(text);
	// A cell of another file is there only where a problem points at it.
	const editable = (cell) => cell.getField() in (byId.get(cell.getData().id)?.original || {});

	// --- The list of what is wrong with a row.
	let active = null;
	const panel = (row) => {
		if (!row) return;
		const data = row.getData(), own = byId.get(data.id);
		active = row;
		$('correct-panel-title').textContent = `Problems of row ${data.row.toLocaleString('en')}`;
		const list = document.createElement('ul');
		list.className = 'correct-list';
		for (const p of own.problems) {
			const item = document.createElement('li');
			const column = document.createElement('strong');
			column.textContent = p.column + (p.where ? ` (${p.where})` : '');
			const value = document.createElement('span');
			const now = data[p.field] ?? '', mended = p.field in own.original && now !== own.original[p.field];
			value.className = 'cell ' + (mended ? 'cell-good' : p.severity === 'error' ? 'cell-bad' : 'cell-odd');
			value.textContent = mended ? (now === '' ? 'blank' : now) : (p.value === '' ? 'blank' : p.value);
			item.append(column, ' ', value, ' ', mended ? 'Corrected. ' : p.message + ' ');
			item.title = p.code;
			const button = (text, fn) => {
				const b = document.createElement('button');
				b.type = 'button';
				b.className = 'btn-text';
				b.textContent = text;
				b.addEventListener('click', fn);
				item.append(b);
			};
			if (mended) button('Take back', () => put(row, p.field, own.original[p.field]));
			else if (p.suggestion && p.field in own.original) button(`Use “${p.suggestion}”`, () => put(row, p.field, mend(p, now)));
			list.append(item);
		}
		if (own.run_in) {
			const item = document.createElement('li');
			const link = document.createElement('a');
			link.href = `/batches/${own.run_in}`;
			link.textContent = `import #${own.run_in}`;
			item.append('Was run again in ', link, '.');
			list.append(item);
		}
		$('correct-panel').replaceChildren(list);
	};
	// Of several roles in a cell only the wrong one is replaced.
	const mend = (p, now) => p.column === 'Role' && /[;,]/.test(now)
		? now.split(/([;,])/).map((part) => part.trim() === p.value ? part.replace(p.value, () => p.suggestion) : part).join('')
		: p.suggestion;
	const put = async (row, field, value) => {
		await row.update({ [field]: value });
		row.reformat();
		await save();
	};

	// --- Saving: whatever differs from what the server has, one request after the other.
	let saving = Promise.resolve();
	const differences = () => {
		const cells = [];
		for (const data of table.getData()) {
			const own = byId.get(data.id);
			for (const field of Object.keys(own.original)) {
				const value = String(data[field] ?? '').trim();
				if (value !== own.saved[field]) cells.push({ id: data.id, field, value, ...own.at[field] });
			}
		}
		return cells;
	};
	const save = () => { saving = saving.then(saveNow); return saving; };
	const saveNow = async () => {
		const cells = differences();
		if (!cells.length) return;
		state('Saving…');
		try {
			for (let i = 0; i < cells.length; i += 500) {
				const some = cells.slice(i, i + 500);
				const said = await ask(grid.dataset.save, { method: 'POST', body: JSON.stringify({ cells: some.map(({ kind, row, column, value }) => ({ kind, row, column, value })) }) });
				some.forEach((c) => { byId.get(c.id).saved[c.field] = c.value; });
				pending(said.pending);
			}
			state('Saved');
			$('correct-problem').replaceChildren();
		} catch (e) {
			state('Not saved');
			show(e.title || 'Not saved', `${e.detail || ''} The cells show again what is kept.`);
			for (const c of cells) {
				const own = byId.get(c.id);
				if (own.saved[c.field] === c.value) continue;
				const row = table.getRow(c.id);
				await row.update({ [c.field]: own.saved[c.field] });
				row.reformat();
			}
		}
		if (active) panel(active);
	};

	// --- The table.
	const build = (said) => {
		pending(said.pending);
		if (!said.rows.length) {
			const p = document.createElement('p');
			p.className = 'empty-subtitle text-secondary';
			p.textContent = 'There are no rows to correct here.';
			grid.firstElementChild.replaceChildren(p);
			return;
		}
		const data = said.rows.map((r) => {
			byId.set(r.id, { problems: r.problems, original: r.original, at: r.at, saved: { ...r.original, ...r.now }, run_in: r.run_in });
			return { id: r.id, row: r.row, ...r.original, ...r.now };
		});
		grid.replaceChildren();
		table = new Tabulator(grid, {
			data,
			index: 'id',
			height: data.length > 12 ? 'min(60vh, 40rem)' : undefined,
			layout: 'fitDataFill',
			headerSortElement: () => document.createTextNode(''),
			placeholder: '',
			rowHeader: { field: 'row', title: 'Row', titleFormatter: heading('Row'), headerSort: false, resizable: false, frozen: true, hozAlign: 'right', width: 80, cssClass: 'correct-number', formatter: (cell) => document.createTextNode(Number(cell.getValue()).toLocaleString('en')), editor: false },
			columnDefaults: { headerSort: false, formatter: format, editor: 'input', editable, minWidth: 110, maxInitialWidth: 260, resizable: 'header' },
			columns: said.columns.map((c) => ({ field: c.field, title: c.title, titleFormatter: heading(c.title) })),
			selectableRange: 1,
			selectableRangeColumns: true,
			selectableRangeRows: true,
			selectableRangeClearCells: true,
			editTriggerEvent: 'dblclick',
			clipboard: true,
			clipboardCopyStyled: false,
			clipboardCopyConfig: { rowHeaders: false, columnHeaders: false },
			clipboardCopyRowRange: 'range',
			clipboardPasteParser: 'range',
			clipboardPasteAction: 'range',
		});
		const changed = () => setTimeout(() => { table.getRows().forEach((r) => r.reformat()); save(); });
		table.on('cellEdited', (cell) => { cell.getRow().reformat(); save(); });
		table.on('clipboardPasted', changed);
		table.on('rangeChanged', (range) => panel(range.getRows()[0]));
		table.on('rangeAdded', (range) => panel(range.getRows()[0]));
		table.on('tableBuilt', () => {
			grid.setAttribute('aria-label', 'Rows to correct');
			// What scrolls takes the focus: to be part of the grid it is the group of rows.
			grid.querySelector('.tabulator-tableholder').setAttribute('role', 'rowgroup');
			grid.querySelector('.tabulator-table').setAttribute('role', 'presentation');
			const first = data.find((d) => byId.get(d.id).problems.length);
			if (first) panel(table.getRow(first.id));
		});
	};
	ask(grid.dataset.rows).then(build).catch((e) => show(e.title || 'The rows cannot be shown', e.detail || String(e)));
	window.addEventListener('beforeunload', (e) => { if (table && differences().length) e.preventDefault(); });
})();
