package directory

// Candidate is a user to be: the cells as they were typed, and what the rules make of them. An import has a million
// of them, the form one; the rules are the same.
type Candidate struct {
	Row   int64 // the row that the spreadsheet program shows; 0 in a form
	Cells [ColumnCount]string

	Key      string // the LAN ID as ids are compared
	AgentID  string // the LAN ID where the cell is blank
	AgentKey string
	Profile  Profile
	// SupervisorID is the supervisor's id where the directory has them; SupervisorKey is set instead where only the
	// LAN ID is known (see Judge).
	SupervisorID  int64
	SupervisorKey string
	// PendingSupervisor is for an importer to number those in SupervisorKey; the rules do not look at it.
	PendingSupervisor  uint32
	OrgUnitID          int64
	AccessRoleID       int64
	CRMNameID          int64
	GreetingTemplateID int64
	RoleIDs            []int64
	Channels           []ChannelCount
	Features           []FeatureValue

	// ID is the id that the user will have; whoever writes gives it out.
	ID int64
	// firstKey and lastKey are the names as they are compared; see [Candidate.FoldNames].
	firstKey, lastKey string
	// Exists is set where the directory has the LAN ID: a duplicate, judged no further.
	Exists   bool
	Problems []Problem
	failed   bool
}

// ChannelCount is a count that differs from the channel's default.
type ChannelCount struct {
	ChannelID int64
	Count     int64
}

// FeatureValue is a value that differs from the feature's default.
type FeatureValue struct {
	FeatureID int64
	Value     string
}

// FoldNames does the part of the writing that needs no database, so that it can be done beside it.
func (c *Candidate) FoldNames() {
	c.firstKey, c.lastKey = FoldName(c.Cells[FirstName]), FoldName(c.Cells[LastName])
}

// Reset makes the candidate ready for another row, keeping its memory.
func (c *Candidate) Reset(row int64) {
	*c = Candidate{Row: row, RoleIDs: c.RoleIDs[:0], Channels: c.Channels[:0], Features: c.Features[:0], Problems: c.Problems[:0]}
}
