package main

import (
	"net/url"
	"runtime/debug"
)

type versionCmd struct{}

// Run shows what was built, from which commit, with which Go.
func (c *versionCmd) Run(s *session) error {
	v := struct {
		Version string `json:"version"`
		Commit  string `json:"commit,omitempty"`
		Go      string `json:"go"`
	}{Version: "unknown"}
	if info, ok := debug.ReadBuildInfo(); ok {
		v.Version, v.Go = info.Main.Version, info.GoVersion
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				v.Commit = setting.Value
			}
		}
	}
	if s.json {
		return writeJSON(s.out, v)
	}
	s.printf("muster %s %s\n", v.Version, v.Go)
	return nil
}

// hidePassword is a database's address as it may be shown.
func hidePassword(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "postgres://…"
	}
	return u.Redacted()
}
