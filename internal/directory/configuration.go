package directory

// Configuration is everything of the directory but the users, by name: what the setup file says. Where it is
// wanted (see [Handle.ApplyConfiguration]), a nil slice is a section that is left alone, and an empty one a section
// without entries; ids, and what follows from a unit's full name, need not be given.
type Configuration struct {
	Levels            []string // from the top
	OrgUnits          []OrgUnit
	Roles             []Role
	AccessRoles       []AccessRole
	CRMNames          []Named
	GreetingTemplates []GreetingTemplate
	Channels          []Channel // in the order of the template's columns
	Features          []Feature // likewise
	Retired           Retired
	Settings          Settings
	// HasSettings tells a setup file that has the section settings, with nothing in it, from one that has not.
	HasSettings bool
	// SettingNames are those of Settings that a wanted configuration gives; the others are left alone. nil: it gives all.
	SettingNames []string
	// Revision rises with every change of any of the above.
	Revision int64
}

// Retired are the entries of the catalogues that stay with the users who have them, and are given to nobody else: no
// template has a retired channel or feature, no import takes a retired name. Where a section is wanted, they are part of it.
type Retired struct {
	CRMNames          []Named
	GreetingTemplates []GreetingTemplate
	Channels          []Channel
	Features          []Feature
}

// Named is an entry of a catalogue that has nothing but a name.
type Named struct {
	ID      int64
	Name    string
	Retired bool // of those in [Retired] alone; likewise below
}

// OrgUnit is a node of the organizational structure.
type OrgUnit struct {
	ID       int64
	ParentID int64 // 0 for a top-level unit
	Name     string
	FullName string // names from the top, " / " between them
	Depth    int    // 1 for a top-level unit; a team's depth is the number of levels
	Path     string // ids from the top, each followed by "/"
}

// Role is a named set of rights and rules.
type Role struct {
	ID     int64
	Name   string
	Rights []Right
	Rules  []Rule
}

// Rule is a remote-security rule as a role has it.
type Rule struct {
	Rule         string `json:"rule"`   // one of RuleNames
	Action       string `json:"action"` // one of RuleActions
	DelaySeconds int    `json:"delay_seconds"`
}

// RuleNames is the catalogue of rules; RuleActions is in the order of strictness, mildest first.
var (
	RuleNames   = []string{"face-not-recognised", "no-face-in-view", "more-than-one-face", "phone-or-camera-in-view", "screenshot-attempt", "clipboard-copy", "usb-storage", "unapproved-network"}
	RuleActions = []string{"record", "warn", "blur", "lock", "sign-out"}
)

// AccessRole says where its holder's rights apply.
type AccessRole struct {
	ID    int64
	Name  string
	Scope string   // own-unit, own-unit-and-below, units, everywhere
	Units []string // with scope units: full names
}

// GreetingTemplate is a text chat greeting.
type GreetingTemplate struct {
	ID      int64
	Name    string
	Text    string
	Retired bool
}

// Channel says how many sessions of a kind a user may hold at once.
type Channel struct {
	ID      int64
	Name    string
	Default int
	Highest int
	Retired bool
}

// Feature is a switch of the agent's desktop, or a choice from a list.
type Feature struct {
	ID      int64
	Name    string
	Kind    string   // switch or list
	Values  []string // of a list
	Default string   // "yes" or "no" for a switch
	// RetiredValues are values of a list that users may still have, and that are given to nobody else.
	RetiredValues []string
	Retired       bool
}

// givesCatalogues tells whether the configuration has a section of a catalogue.
func (c *Configuration) givesCatalogues() bool {
	return c.AllCRMNames() != nil || c.AllGreetingTemplates() != nil || c.AllChannels() != nil || c.AllFeatures() != nil
}

// GivesSettings tells whether the configuration has the section settings.
func (c Configuration) GivesSettings() bool { return c.HasSettings || c.Settings != (Settings{}) }
