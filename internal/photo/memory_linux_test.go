package photo

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"image"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// peakLimit is what a process that imports pictures may take, in bytes.
const peakLimit = 500_000_000

// Two at a time of the most expensive pictures there can be stay within the limit. It is a process of its own that is
// measured, for a peak never goes down again.
func TestMemoryIsBounded(t *testing.T) {
	if os.Getenv("MUSTER_PHOTO_MEMORY") != "" {
		workOnExpensivePictures(t)
		return
	}
	if testing.Short() {
		t.Skip("decodes a gigabyte")
	}
	t.Parallel()
	cmd := exec.Command(os.Args[0], "-test.run=^TestMemoryIsBounded$", "-test.v")
	cmd.Env = append(os.Environ(), "MUSTER_PHOTO_MEMORY=1")
	out, err := cmd.CombinedOutput()
	_, after, found := strings.Cut(string(out), "peak ")
	if err != nil || !found {
		t.Fatalf("%v\n%s", err, out)
	}
	kilobytes, err := strconv.Atoi(strings.Fields(after)[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("peak %d MB", kilobytes/1000)
	if kilobytes*1024 > peakLimit {
		t.Errorf("the peak is %d kB", kilobytes)
	}
}

func workOnExpensivePictures(t *testing.T) {
	progressive := hugeProgressive(6324, 6324, 3)
	turned := withSegment(progressive, markAPP1, exifSegment(6))
	baseline := withSegment(asJPEG(t, &image.Gray{Pix: make([]byte, 6000*6000), Stride: 6000, Rect: image.Rect(0, 0, 6000, 6000)}, 80), markAPP1, exifSegment(3))
	png := deepPNG(6324, 6324)
	b := NewBudget(DefaultBudget)
	var r *Refusal
	if _, err := Process(t.Context(), withSegment(hugeProgressive(6324, 6324, 4), markAPP1, exifSegment(6)), b, Options{}); !errors.As(err, &r) || r.Code != TooManyPixels {
		t.Error("four full colours, progressive and to be turned:", err)
	}
	cmyk := hugeProgressive(6324, 6324, 4)
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() {
			for _, data := range [][]byte{turned, png, cmyk, baseline} {
				if _, err := Process(t.Context(), data, b, Options{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, peak, _ := strings.Cut(string(status), "VmHWM:")
	t.Logf("peak %s", strings.Fields(peak)[0])
}

// hugeProgressive is a progressive JPEG of full planes of which only the means are said, and those are all the same: one bit
// a block.
func hugeProgressive(width, height, colours int) []byte {
	out := []byte{0xff, markSOI}
	out = appendSegment(out, markDQT, append([]byte{0}, bytes.Repeat([]byte{1}, 64)...))
	sof, sos := []byte{8, byte(height >> 8), byte(height), byte(width >> 8), byte(width), byte(colours)}, []byte{byte(colours)}
	for c := range colours {
		sof, sos = append(sof, byte(c), 0x11, 0), append(sos, byte(c), 0)
	}
	out = appendSegment(out, markAPP14, adobe(byte(colours-2)))
	out = appendSegment(out, markSOF2, sof)
	out = appendSegment(out, markDHT, append([]byte{0, 1}, make([]byte, 16)...)) // one code of one bit, for 0
	out = appendSegment(out, markSOS, append(sos, 0, 0, 0))
	blocks := ceilDiv(width, 8) * ceilDiv(height, 8)
	out = append(out, make([]byte, ceilDiv(colours*blocks, 8))...)
	return append(out, 0xff, markEOI)
}

// deepPNG is a PNG of 16 bits a sample, with transparency: 8 bytes a pixel.
func deepPNG(width, height int) []byte {
	h := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(width)), uint32(height))
	out := appendChunk([]byte(pngSignature), "IHDR", append(h, 16, pngAlpha, 0, 0, 0))
	var idat bytes.Buffer
	z, _ := zlib.NewWriterLevel(&idat, zlib.BestSpeed)
	row := make([]byte, 1+8*width)
	for range height {
		_, _ = z.Write(row)
	}
	_ = z.Close()
	return appendChunk(appendChunk(out, "IDAT", idat.Bytes()), "IEND", nil)
}
