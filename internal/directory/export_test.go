package directory

// Small limits bring every way to find a page into directories of some hundred users.
func init() {
	gridLimits.fewMatches, gridLimits.mostFetched, gridLimits.firstWindow, gridLimits.lastWindow, gridLimits.segments, gridLimits.groups = 10, 40, 15, 90, 3, 6
}
