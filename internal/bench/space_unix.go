//go:build linux || darwin

package bench

import "syscall"

// freeBytes is what may still be written below dir.
func freeBytes(dir string) (n int64, known bool) {
	var s syscall.Statfs_t
	if syscall.Statfs(dir, &s) != nil {
		return 0, false
	}
	return int64(s.Bavail) * int64(s.Bsize), true
}
