package directory

import (
	"cmp"
	"encoding/base64"
	"encoding/json"

	"muster/internal/fault"
)

// A cursor says after (or before) which user a page is: the sort, the sort's value and the id of that user. It need
// not be secret or signed: whatever somebody makes of it is only a place in the order of what they may see anyway.
type cursor struct {
	Sort   string
	Text   string `json:",omitempty"`
	Number int64  `json:",omitempty"`
	ID     int64
}

func (o *order) cursor(s UserSort, at position) string {
	c := cursor{Sort: s.String(), ID: at.id}
	if o.number {
		c.Number = at.key.(int64)
	} else {
		c.Text = at.key.(string)
	}
	b, err := json.Marshal(c)
	if err != nil {
		panic("directory: a cursor always marshals: " + err.Error())
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// Cursor is the cursor of a user: the page after (or before) them in this order.
func (s UserSort) Cursor(u User) string {
	o := s.order(&Configuration{})
	return o.cursor(s, position{s.keyOf(u), u.ID})
}

// keyOf is what the statements make of the user as the order's key.
func (s UserSort) keyOf(u User) any {
	switch s.column() {
	case "first_name":
		return FoldName(u.FirstName)
	case "last_name":
		return FoldName(u.LastName)
	case "agent_id":
		return Fold(u.AgentID)
	case "pbx_id":
		return cmp.Or(u.PBXID, last)
	case "org_unit":
		return cmp.Or(u.OrgUnit, last)
	case "changed_by":
		return Fold(u.ChangedBy)
	case "changed_at":
		return u.ChangedAt.UnixMicro()
	case "profile":
		return int64(u.Profile)
	case "status":
		if u.Status == Inactive {
			return int64(1)
		}
		return int64(0)
	}
	return Fold(u.LANID)
}

// longestCursor is in bytes; the longest name that is stored takes half of it.
const longestCursor = 4096

func (o *order) position(s UserSort, text string) (position, error) {
	bad := fault.New(fault.Invalid, "the address does not say which page of the list to show (it was cut off, or is of another sort order); start from the first page")
	if len(text) > longestCursor {
		return position{}, bad
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return position{}, bad
	}
	var c cursor
	if err := json.Unmarshal(b, &c); err != nil || c.Sort != s.String() || c.Text != storable(c.Text) {
		return position{}, bad
	}
	if o.number {
		return position{c.Number, c.ID}, nil
	}
	return position{c.Text, c.ID}, nil
}
