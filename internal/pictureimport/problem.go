package pictureimport

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"muster/internal/blob"
	"muster/internal/directory"
	"muster/internal/photo"
)

// flaws are the codes of [photo.Flaw] that a setting can make errors.
var flaws = []string{"dark", "bright", "blurred"}

// Strict returns the flaws that keep a picture out by the settings.
func Strict(s directory.Settings) []string {
	var strict []string
	for _, code := range flaws {
		if s.PictureSeverity(code) == directory.Error {
			strict = append(strict, code)
		}
	}
	return strict
}

// ProblemOf is a refusal as a problem; where it is, the caller knows.
func ProblemOf(r *photo.Refusal) directory.Problem {
	return directory.Problem{Column: pictureColumn, Code: "picture." + r.Code, Severity: directory.Error, Message: r.Message}
}

// ProblemsOf are flaws as problems: warnings, but for those in strict.
func ProblemsOf(found []photo.Flaw, strict []string) []directory.Problem {
	var all []directory.Problem
	for _, f := range found {
		p := directory.Problem{Column: pictureColumn, Code: "picture." + f.Code, Severity: directory.Warning, Message: f.Message}
		if slices.Contains(strict, f.Code) {
			p.Severity = directory.Error
		}
		all = append(all, p)
	}
	return all
}

// Keep stores a picture and what was made of it, durably; source are the bytes that it was made of. Whoever calls it gives
// the picture to a user, or holds it, within an hour: see [blob.Store].
func Keep(ctx context.Context, blobs blob.Store, source []byte, p *photo.Picture) (directory.Picture, error) {
	hashes, err := blobs.PutAll(ctx, [][]byte{p.Stored, p.Large, p.Small})
	if err != nil {
		return directory.Picture{}, err
	}
	of := sha256.Sum256(source)
	return directory.Picture{Hash: hashes[0], SourceHash: hex.EncodeToString(of[:]), Format: string(p.Format), Width: p.Width, Height: p.Height,
		Bytes: int64(len(p.Stored)), Large: hashes[1], Small: hashes[2]}, nil
}
