package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"muster/internal/fault"
)

// outputs are files in the making: under names of their own until all of them are whole.
type outputs struct {
	files []*os.File
	names []string // what they will be
}

// createFiles begins files in dir, which it makes if need be. Files that are there are left alone unless force.
func createFiles(dir string, force bool, names ...string) (*outputs, error) {
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return nil, fault.New(fault.Invalid, "%s is a file; name a directory", dir)
	}
	for _, name := range names {
		path := filepath.Join(dir, name)
		if _, err := os.Lstat(path); err == nil && !force {
			return nil, fault.New(fault.Conflict, "%s is there already; choose another directory, or add --force to overwrite it", path)
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fault.Wrap(fault.Unavailable, err, "%s cannot be written", path)
		}
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the directory %s cannot be made", dir)
	}
	o := &outputs{}
	for _, name := range names {
		path := filepath.Join(dir, name)
		f, err := os.OpenFile(path+".part", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o666)
		if err != nil {
			o.discard()
			return nil, fault.Wrap(fault.Unavailable, err, "%s cannot be written", path)
		}
		o.files, o.names = append(o.files, f), append(o.names, path)
	}
	return o, nil
}

// commit gives the files their names.
func (o *outputs) commit() error {
	for i, f := range o.files {
		if err := f.Close(); err != nil {
			return fault.Wrap(fault.Unavailable, err, "%s cannot be written", o.names[i])
		}
	}
	for i, f := range o.files {
		if err := os.Rename(f.Name(), o.names[i]); err != nil {
			return fault.Wrap(fault.Unavailable, err, "%s cannot be written", o.names[i])
		}
	}
	o.files = nil
	return nil
}

// discard removes what is not committed.
func (o *outputs) discard() {
	for _, f := range o.files {
		f.Close()
		os.Remove(f.Name())
	}
	o.files = nil
}
