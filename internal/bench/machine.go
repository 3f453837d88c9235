package bench

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// Machine is what the figures were measured on. What cannot be found out is empty or 0.
type Machine struct {
	CPU        string `json:"cpu"`
	Cores      int    `json:"cores"`
	Memory     int64  `json:"memory_bytes"`
	System     string `json:"system"`
	FileSystem string `json:"file_system"` // of the scratch directory
	Go         string `json:"go"`
}

func thisMachine(scratch string) Machine {
	m := Machine{Cores: runtime.NumCPU(), System: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version()}
	_, m.CPU, _ = strings.Cut(lineOf("/proc/cpuinfo", "model name"), ": ")
	if f := strings.Fields(lineOf("/proc/meminfo", "MemTotal")); len(f) > 1 {
		kib, _ := strconv.ParseInt(f[1], 10, 64)
		m.Memory = kib << 10
	}
	if kernel, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.System += ", kernel " + strings.TrimSpace(string(kernel))
	}
	m.FileSystem = fileSystem(scratch)
	return m
}

// lineOf returns the first line of a file that begins so.
func lineOf(file, begin string) string {
	text, _ := os.ReadFile(file)
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, begin) {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

// fileSystem is the type of the mount with the longest path above dir. It matters: on one that is kept in memory,
// nobody ever waits for a disk.
func fileSystem(dir string) string {
	mounts, _ := os.ReadFile("/proc/self/mounts")
	longest, kind := 0, ""
	for line := range strings.Lines(string(mounts)) {
		f := strings.Fields(line)
		if len(f) < 3 || len(f[1]) < longest {
			continue
		}
		if rel, err := filepath.Rel(f[1], dir); err == nil && rel != ".." && !strings.HasPrefix(rel, "../") {
			longest, kind = len(f[1]), f[2]
		}
	}
	return kind
}
