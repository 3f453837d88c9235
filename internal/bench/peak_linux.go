package bench

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// watchPeak follows the memory of a process; the function that it returns says, after the process has ended, how many
// bytes it held at most.
//
// The kernel's own account at the end (rusage) will not do: between fork and exec the child has our memory, and its
// account begins with that. The mark that the kernel keeps of the child's own memory only ever rises, so that a look
// every few milliseconds misses no peak but one of the very last of them.
func watchPeak(pid int) func(*os.ProcessState) int64 {
	stop, result := make(chan struct{}), make(chan int64)
	go func() {
		peak := int64(0)
		for tick := time.Tick(5 * time.Millisecond); ; {
			peak = max(peak, highWater(pid))
			select {
			case <-stop:
				result <- peak
				return
			case <-tick:
			}
		}
	}()
	return func(*os.ProcessState) int64 {
		close(stop)
		return <-result
	}
}

// highWater returns VmHWM in bytes; 0 once the process has ended.
func highWater(pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, after, _ := bytes.Cut(status, []byte("VmHWM:"))
	field, _, _ := bytes.Cut(bytes.TrimSpace(after), []byte(" "))
	kib, _ := strconv.ParseInt(string(field), 10, 64)
	return kib << 10
}
