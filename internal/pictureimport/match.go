package pictureimport

import (
	"context"
	"encoding/hex"
	"fmt"

	"muster/internal/directory"
	"muster/internal/sqldb"
)

// match is what the name of a picture, or somebody's choice, says of its user.
type match struct {
	user       int64 // 0: nobody
	lanID      string
	name       string
	has        bool // a picture
	hash       sum  // of it
	source     sum
	given      bool // by hand
	outside    bool // of the acting person's scope
	suggestion string
	earlier    int // number of the picture above that is for the same user; 0: none
}

// sum is a SHA-256; the zero sum is of nothing.
type sum [32]byte

func (s sum) String() string { return hex.EncodeToString(s[:]) }

func sumOf(text string) (s sum) {
	if len(text) == hex.EncodedLen(len(s)) {
		// What is no sum was not made here, and is like no other.
		_, _ = hex.Decode(s[:], []byte(text))
	}
	return s
}

func matched(m *directory.PictureMatch) match {
	return match{user: m.UserID, lanID: m.LANID, name: m.Name, has: m.Hash != "", hash: sumOf(m.Hash), source: sumOf(m.SourceHash),
		outside: m.OutOfScope, suggestion: m.Suggestion}
}

// match finds the users of all pictures: by name, but for those that were given to somebody by hand.
func (im *importing) match(ctx context.Context) error {
	chosen, err := choicesOf(ctx, im.run.DB().Read(), im.run.Batch.ID)
	if err != nil {
		return err
	}
	total := int64(len(im.rows))
	im.run.Progress("matching", 0, total)
	keys := make([]string, total)
	for i := range keys {
		keys[i] = im.archive.entries[i].key()
	}
	found, err := im.handle.MatchPictures(ctx, im.options.Match, keys)
	if err != nil {
		return err
	}
	for i := range found {
		im.rows[i].match = matched(&found[i])
	}
	im.run.Progress("matching", total, total)
	if err := im.give(ctx, chosen); err != nil {
		return err
	}
	im.findRepeated()
	return nil
}

// give puts those whom somebody chose in the place of those whom the names say.
func (im *importing) give(ctx context.Context, chosen map[int64]int64) error {
	if len(chosen) == 0 {
		return nil
	}
	var ids []int64
	for _, user := range chosen {
		ids = append(ids, user)
	}
	users, err := im.handle.PictureUsers(ctx, ids)
	if err != nil {
		return err
	}
	for number, user := range chosen {
		if number < 1 || number > int64(len(im.rows)) {
			continue
		}
		m := users[user] // the zero match where they are gone
		im.rows[number-1].match = matched(&m)
		im.rows[number-1].match.given = true
	}
	return nil
}

func (im *importing) findRepeated() {
	first := make(map[int64]int, len(im.rows))
	for i := range im.rows {
		m := &im.rows[i].match
		if m.user == 0 {
			continue
		}
		if earlier, found := first[m.user]; found {
			m.earlier = earlier
		} else {
			first[m.user] = i + 1
		}
	}
}

// matchProblem is why a picture has no user whom it could be given to, or nil.
func (im *importing) matchProblem(i int) *directory.Problem {
	m := &im.rows[i].match
	column := directory.AgentID
	switch im.options.Match {
	case directory.ByLANID:
		column = directory.LANID
	case directory.ByPBXID:
		column = directory.PBXID
	}
	p := im.problemOf(i)
	switch {
	case m.given && m.user == 0 && !m.outside:
		p.Code, p.Message = "picture.no_user", "The user whom this picture was given to is not in the directory any more. Give it to another."
	case m.outside && m.given:
		p.Code, p.Message = "picture.out_of_scope", "The user whom this picture was given to is outside the org units of your access role. Ask somebody whose access role covers them."
	case m.outside:
		p.Code, p.Message = "picture.out_of_scope", fmt.Sprintf("The user with the %s %q is outside the org units of your access role. Ask somebody whose access role covers them.", column, shorten(im.archive.entries[i].key()))
	case m.user == 0:
		p.Code, p.Suggestion = "picture.no_user", m.suggestion
		p.Message = fmt.Sprintf("Nobody has the %s %q. Name the file by the %s of its user, or give the picture to a user by hand.", column, shorten(im.archive.entries[i].key()), column)
	case m.earlier > 0:
		p.Code = "picture.repeated"
		p.Message = fmt.Sprintf("%q (row %d) is for %s already. Take one of the two out.", im.archive.entries[m.earlier-1].path, m.earlier, m.lanID)
	default:
		return nil
	}
	return &p
}

// problemOf begins a problem of a row, an error.
func (im *importing) problemOf(i int) directory.Problem {
	return directory.Problem{File: im.run.Batch.Files[0].Name, Row: int64(i + 1), LANID: im.rows[i].match.lanID, Column: pictureColumn,
		Severity: directory.Error, Value: im.archive.entries[i].path}
}

// pictureColumn is what problems of pictures name as their column.
const pictureColumn = "Picture"

// choicesOf returns which users somebody has given which pictures to, by hand.
func choicesOf(ctx context.Context, q sqldb.Querier, batchID int64) (map[int64]int64, error) {
	type choice struct{ Row, User int64 }
	all := map[int64]int64{}
	for c, err := range sqldb.Each[choice](ctx, q, "SELECT row_num, user_id FROM picture_choices WHERE batch_id = $1", batchID) {
		if err != nil {
			return nil, fmt.Errorf("read who was given which picture: %w", err)
		}
		all[c.Row] = c.User
	}
	return all, nil
}
