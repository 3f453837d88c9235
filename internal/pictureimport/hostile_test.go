package pictureimport_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/batch"
	"muster/internal/blob/blobtest"
	"muster/internal/fault"
	"muster/internal/pictureimport"
)

// giant is a PNG that says it has 60,000 × 60,000 pixels, which would take 14 GB.
func giant() string {
	var buf bytes.Buffer
	buf.WriteString("\x89PNG\r\n\x1a\n")
	chunk := append([]byte("IHDR"), 0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60, 8, 6, 0, 0, 0)
	binary.Write(&buf, binary.BigEndian, uint32(len(chunk)-4))
	buf.Write(chunk)
	binary.Write(&buf, binary.BigEndian, crc32.ChecksumIEEE(chunk))
	return buf.String() + strings.Repeat("\x00", 500)
}

// What is made to do harm is named with its code, and everything else gets where it belongs.
func TestHostilePictures(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for range 6 {
			h.add(t, "UAE / Cards")
		}
		b := h.run(t, system, pictureimport.Options{}, pack(t, "../../a1.jpg", giant(), "/etc/a2.jpg", string(pack(t, "a3.jpg", face(1))), "a3.jpg", `<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`,
			`..\..\windows\a4.jpg`, face(4), "a5.jpg", face(5)[:2000], "a6.jpg", ""))
		want := []string{"1 ../../a1.jpg U1 invalid picture.too_many_pixels", "2 /etc/a2.jpg U2 invalid picture.not_an_image", "3 a3.jpg U3 invalid picture.not_an_image",
			"4 ../../windows/a4.jpg U4 inserted", "5 a5.jpg U5 invalid picture.damaged", "6 a6.jpg U6 invalid picture.not_an_image"}
		if diff := cmp.Diff(want, h.rows(t, b.ID, pictureimport.RowsQuery{})); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(map[string]string{"U4": stored(t, face(4))}, h.pictures(t)); diff != "" {
			t.Error(diff)
		}
	})
}

// As long as the store is away a batch waits, with the reason shown, and then goes on.
func TestStoreIsAway(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.add(t, "UAE / Cards")
		server := blobtest.NewServer(t)
		h.engine.Blobs, h.engine.Patience = server.Store(t), time.Nanosecond
		id := h.create(t, system, pictureimport.Options{}, pack(t, "a1.jpg", face(1), "a2.jpg", "x"))
		server.Away()
		_, err := h.engine.Execute(t.Context(), id, nil)
		isKind(t, err, fault.Unavailable, "")
		b, err := h.engine.Get(t.Context(), system, id)
		if err != nil || b.State != batch.Checking || b.Reason == "" {
			t.Errorf("%s %q %v", b.State, b.Reason, err)
		}
		server.Answer(nil)
		if b = h.execute(t, id); b.State != batch.Done || b.Counts.Inserted != 1 || b.Counts.Invalid != 1 {
			t.Errorf("%s %q %+v", b.State, b.Reason, b.Counts)
		}
		if diff := cmp.Diff(map[string]string{"U1": stored(t, face(1))}, h.pictures(t)); diff != "" {
			t.Error(diff)
		}
	})
}
