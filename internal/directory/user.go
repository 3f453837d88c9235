package directory

// User is a user as lists and exports show them: by names, not ids. The JSON names are those of the interface that
// other programs depend on.
type User struct {
	ID               int64             `json:"-"`
	LANID            string            `json:"lan_id"`
	FirstName        string            `json:"first_name"`
	LastName         string            `json:"last_name"`
	AgentID          string            `json:"agent_id"`
	PBXID            string            `json:"pbx_id"`
	Profile          Profile           `json:"profile"`
	Supervisor       string            `json:"supervisor"` // LAN ID
	OrgUnit          string            `json:"org_unit"`   // full name
	Roles            []string          `json:"roles"`      // by name
	AccessRole       string            `json:"access_role"`
	CRMName          string            `json:"crm_name"`
	GreetingTemplate string            `json:"greeting_template"`
	ChannelCounts    map[string]int    `json:"channel_counts"` // of every channel
	Features         map[string]string `json:"features"`       // of every feature
	Status           Status            `json:"status"`
}

// Status says whether a user can be used.
type Status string

const (
	Active   Status = "active"
	Inactive Status = "inactive"
)

// MarshalText writes a profile as its name.
func (p Profile) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UserFilter picks users; the zero value picks all.
type UserFilter struct {
	BatchID int64 // those that this batch inserted
}
