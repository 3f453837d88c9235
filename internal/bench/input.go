package bench

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"muster/internal/sample"
)

// input is three generated files, and what importing them must report.
type input struct {
	users    int
	files    []string // UserDetails first
	expected sample.Counts
}

// generate makes the files of users from to from+users: two inputs whose ranges do not meet share no id.
func (b *bench) generate(name string, users, from int) error {
	dir := filepath.Join(b.scratch, "input", name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	in := &input{users: users}
	var writers []io.Writer
	for _, file := range []string{"UserDetails.csv", "ChannelCountDetails.csv", "FeatureDetails.csv"} {
		f, err := os.Create(filepath.Join(dir, file))
		if err != nil {
			return err
		}
		defer f.Close()
		in.files = append(in.files, f.Name())
		writers = append(writers, f)
	}
	b.say("generating %d users", users)
	var err error
	in.expected, err = sample.Generate(sample.Spec{Users: users, From: from, Seed: uint64(from) + 1}, writers[0], writers[1], writers[2])
	if err != nil {
		return fmt.Errorf("generate the %s files: %w", name, err)
	}
	b.inputs[name] = in
	return nil
}

// order returns at which place UserDetails has each LAN ID, in lower case: the first row with it, which is the one
// that is imported. No cell of a generated file is quoted.
func (in *input) order() (map[string]int32, error) {
	f, err := os.Open(in.files[0])
	if err != nil {
		return nil, err
	}
	defer f.Close()
	places := make(map[string]int32, in.users)
	s := bufio.NewScanner(f)
	s.Scan() // the header
	for row := int32(0); s.Scan(); row++ {
		lanID, _, _ := strings.Cut(s.Text(), ",")
		key := strings.ToLower(lanID)
		if _, above := places[key]; !above {
			places[key] = row
		}
	}
	return places, s.Err()
}

// warm reads files once, so that whoever comes first does not read them from the disk for all others.
func warm(files ...string) error {
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, f)
		f.Close()
		if err != nil {
			return err
		}
	}
	return nil
}
