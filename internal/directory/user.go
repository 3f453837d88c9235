package directory

import "time"

// User is a user as lists and exports show them: by names, not ids. The JSON names are those of the interface that
// other programs depend on.
type User struct {
	ID               int64             `json:"-"`
	Picture          string            `json:"-"` // "" for none
	LANID            string            `json:"lan_id"`
	FirstName        string            `json:"first_name"`
	LastName         string            `json:"last_name"`
	AgentID          string            `json:"agent_id"`
	PBXID            string            `json:"pbx_id"`
	Profile          Profile           `json:"profile"`
	Supervisor       string            `json:"supervisor"` // LAN ID
	SupervisorName   string            `json:"-"`          // first and last name
	OrgUnit          string            `json:"org_unit"`   // full name
	Roles            []string          `json:"roles"`      // by name
	AccessRole       string            `json:"access_role"`
	CRMName          string            `json:"crm_name"`
	GreetingTemplate string            `json:"greeting_template"`
	ChannelCounts    map[string]int    `json:"channel_counts"` // of every channel
	Features         map[string]string `json:"features"`       // of every feature
	Status           Status            `json:"status"`
	Email            string            `json:"-"`
	ChangedBy        string            `json:"-"`
	ChangedAt        time.Time         `json:"-"` // UTC
	BatchID          int64             `json:"-"` // that created the user; 0 for none
	Version          int64             `json:"-"` // every change raises it
}

// Status says whether a user can be used.
type Status string

const (
	Active   Status = "active"
	Inactive Status = "inactive"
)

// MarshalText writes a profile as its name.
func (p Profile) MarshalText() ([]byte, error) { return []byte(p.String()), nil }
