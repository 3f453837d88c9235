// Runs before the page is drawn: where nobody chose a theme, it follows the system.
(() => {
	const root = document.documentElement;
	const dark = matchMedia('(prefers-color-scheme: dark)');
	const follow = () => {
		if (!root.hasAttribute('data-theme-chosen')) root.setAttribute('data-bs-theme', dark.matches ? 'dark' : 'light');
	};
	follow();
	dark.addEventListener('change', follow);
})();
