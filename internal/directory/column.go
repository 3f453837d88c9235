package directory

// Column is a column of UserDetails, in the order of the template.
type Column int

const (
	LANID Column = iota
	FirstName
	LastName
	AgentID
	PBXID
	ProfileColumn
	SupervisorColumn
	OrgUnitColumn
	RoleColumn
	AccessRoleColumn
	CRMNameColumn
	GreetingColumn
	ColumnCount int = iota
)

var columnNames = [ColumnCount]string{
	"LAN ID", "First Name", "Last Name", "Agent ID", "PBX ID", "Profile", "Supervisor", "Org Unit", "Role", "Access Role",
	"CRM Name", "Text Chat Greeting Template Name",
}

// The first half of a column's problem codes.
var columnCodes = [ColumnCount]string{
	"lan_id", "first_name", "last_name", "agent_id", "pbx_id", "profile", "supervisor", "org_unit", "role", "access_role",
	"crm_name", "greeting_template",
}

// longest is in characters; the numbers are the product's own, wide enough for every directory seen so far.
var longest = [ColumnCount]int{64, 100, 100, 64, 20, 200, 200, 200, 200, 200, 200, 200}

// String is the column's name in the template.
func (c Column) String() string { return columnNames[c] }

// Columns are the names of UserDetails' columns in the order of the template.
func Columns() []string { return append([]string(nil), columnNames[:]...) }

// Profile is what kind of user somebody is.
type Profile int

const (
	Administrator Profile = iota + 1
	Supervisor
	Agent
)

func (p Profile) String() string {
	switch p {
	case Administrator:
		return "Administrator"
	case Supervisor:
		return "Supervisor"
	case Agent:
		return "Agent"
	}
	return ""
}

// ParseProfile reads a profile in any case.
func ParseProfile(s string) (Profile, bool) {
	for _, p := range []Profile{Administrator, Supervisor, Agent} {
		if Fold(s) == Fold(p.String()) {
			return p, true
		}
	}
	return 0, false
}

// Fold is how ids are compared: A–Z as a–z, everything else as it is. Ids are ASCII, so that a letter which merely
// looks like one, or whose lower case is one (the Kelvin sign), never equals it.
func Fold(s string) string {
	for i := range len(s) {
		if c := s[i]; 'A' <= c && c <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				if 'A' <= b[i] && b[i] <= 'Z' {
					b[i] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}
