package userimport

import (
	"encoding/binary"
	"errors"
	"math"

	"muster/internal/directory"
)

// The columns whose text is still needed once a row is judged.
var keptColumns = []directory.Column{directory.LANID, directory.FirstName, directory.LastName, directory.AgentID, directory.PBXID, directory.SupervisorColumn}

// appendCandidate encodes a row for the scratch files, which only this process reads.
func appendCandidate(b []byte, c *directory.Candidate) []byte {
	flags := uint64(0)
	if c.Failed() {
		flags = 1
	}
	b = binary.AppendUvarint(b, flags)
	b = binary.AppendUvarint(b, uint64(c.Row))
	for _, col := range keptColumns {
		b = appendString(b, c.Cells[col])
	}
	b = binary.AppendUvarint(b, uint64(c.Profile))
	b = binary.AppendUvarint(b, uint64(c.PendingSupervisor))
	for _, id := range [...]int64{c.SupervisorID, c.OrgUnitID, c.AccessRoleID, c.CRMNameID, c.GreetingTemplateID} {
		b = binary.AppendUvarint(b, uint64(id))
	}
	b = binary.AppendUvarint(b, uint64(len(c.RoleIDs)))
	for _, id := range c.RoleIDs {
		b = binary.AppendUvarint(b, uint64(id))
	}
	b = appendDetails(b, c.Channels, c.Features)
	return appendProblems(b, c.Problems)
}

func appendDetails(b []byte, channels []directory.ChannelCount, features []directory.FeatureValue) []byte {
	b = binary.AppendUvarint(b, uint64(len(channels)))
	for _, ch := range channels {
		b = binary.AppendUvarint(b, uint64(ch.ChannelID))
		b = binary.AppendUvarint(b, uint64(ch.Count))
	}
	b = binary.AppendUvarint(b, uint64(len(features)))
	for _, f := range features {
		b = binary.AppendUvarint(b, uint64(f.FeatureID))
		b = appendString(b, f.Value)
	}
	return b
}

func appendProblems(b []byte, problems []directory.Problem) []byte {
	b = binary.AppendUvarint(b, uint64(len(problems)))
	for i := range problems {
		p := &problems[i]
		b = binary.AppendUvarint(b, uint64(p.Row))
		for _, s := range [...]string{p.File, p.LANID, p.Column, p.Code, string(p.Severity), p.Value, p.Message, p.Suggestion} {
			b = appendString(b, s)
		}
	}
	return b
}

func appendString(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

var errTorn = errors.New("a scratch record is torn")

// decoder reads what the append functions wrote. Strings share the memory of the record.
type decoder struct {
	s    string
	pos  int
	torn bool
}

func (d *decoder) number() uint64 {
	var n uint64
	for shift := 0; shift < 64; shift += 7 {
		if d.pos >= len(d.s) {
			d.torn = true
			return 0
		}
		c := d.s[d.pos]
		d.pos++
		n |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return n
		}
	}
	d.torn = true
	return 0
}

// count is how many things follow, each of which takes a byte at least.
func (d *decoder) count() uint64 {
	n := d.number()
	if n > uint64(len(d.s)-d.pos) {
		d.torn = true
		return 0
	}
	return n
}

func (d *decoder) text() string {
	n := d.number()
	if n > math.MaxInt32 || d.pos+int(n) > len(d.s) {
		d.torn = true
		return ""
	}
	s := d.s[d.pos : d.pos+int(n)]
	d.pos += int(n)
	return s
}

// candidate decodes into c, keeping the memory of its slices.
func (d *decoder) candidate(c *directory.Candidate) error {
	failed := d.number() != 0
	c.Reset(int64(d.number()))
	for _, col := range keptColumns {
		c.Cells[col] = d.text()
	}
	c.Key = directory.Fold(c.Cells[directory.LANID])
	c.AgentID = c.Cells[directory.AgentID]
	if c.AgentID == "" {
		c.AgentID = c.Cells[directory.LANID]
	}
	if c.AgentID == c.Cells[directory.LANID] {
		c.AgentKey = c.Key
	} else {
		c.AgentKey = directory.Fold(c.AgentID)
	}
	c.Profile = directory.Profile(d.number())
	c.PendingSupervisor = uint32(d.number())
	for _, id := range [...]*int64{&c.SupervisorID, &c.OrgUnitID, &c.AccessRoleID, &c.CRMNameID, &c.GreetingTemplateID} {
		*id = int64(d.number())
	}
	for range d.count() {
		c.RoleIDs = append(c.RoleIDs, int64(d.number()))
	}
	d.details(&c.Channels, &c.Features)
	d.problems(&c.Problems)
	c.SetFailed(failed)
	if d.torn {
		return errTorn
	}
	return nil
}

func (d *decoder) details(channels *[]directory.ChannelCount, features *[]directory.FeatureValue) {
	for range d.count() {
		*channels = append(*channels, directory.ChannelCount{ChannelID: int64(d.number()), Count: int64(d.number())})
	}
	for range d.count() {
		*features = append(*features, directory.FeatureValue{FeatureID: int64(d.number()), Value: d.text()})
	}
}

func (d *decoder) problems(into *[]directory.Problem) {
	for range d.count() {
		p := directory.Problem{Row: int64(d.number())}
		for _, s := range [...]*string{&p.File, &p.LANID, &p.Column, &p.Code, (*string)(&p.Severity), &p.Value, &p.Message, &p.Suggestion} {
			*s = d.text()
		}
		*into = append(*into, p)
	}
}
