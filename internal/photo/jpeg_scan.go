package photo

// scan is one scan's header (T.81, B.2.3) while its data is read.
type scan struct {
	*jpegDecoder
	bitReader
	parts     []part
	from, to  int // coefficients, in zigzag order
	high, low int // bits of them: was known from high on, is known from low on
	run       int // blocks still to come that have nothing more in this band
}

// part is a channel in a scan and its tables.
type part struct {
	*channel
	dcTable, acTable *huffman
}

// scan reads one scan, and returns how much of coded it was.
func (d *jpegDecoder) scan(header, coded []byte) (read int, err error) {
	if d.scans++; d.scans > maxScans {
		return 0, damaged("it has more than %d parts laid over each other", maxScans)
	}
	s := &scan{jpegDecoder: d, bitReader: bitReader{data: coded}}
	if err := s.begin(header); err != nil {
		return 0, err
	}
	if err := s.units(); err != nil {
		return 0, err
	}
	return s.end(), nil
}

// begin reads and judges the scan's header.
func (s *scan) begin(p []byte) error {
	wrong := damaged("the header of its pixels is damaged")
	if len(p) == 0 || p[0] == 0 || p[0] > 4 || len(p) != 4+2*int(p[0]) {
		return wrong
	}
	n := int(p[0])
	tail := p[1+2*n:]
	s.from, s.to, s.high, s.low = int(tail[0]), int(tail[1]), int(tail[2]>>4), int(tail[2]&15)
	if !s.jpeg.progressive {
		s.from, s.to, s.high, s.low = 0, 63, 0, 0
	} else if s.from > s.to || s.to > 63 || s.from == 0 && s.to != 0 || s.from > 0 && n > 1 || s.low > 13 || s.high != 0 && s.high != s.low+1 {
		return wrong
	}
	for ; n > 0; n-- {
		part, ok := s.part(p[1], p[2])
		if !ok {
			return wrong
		}
		s.parts, p = append(s.parts, part), p[2:]
	}
	return nil
}

// part finds a channel by its name, and its tables, which must be there as far as the scan needs them.
func (s *scan) part(id, tables byte) (part, bool) {
	dc, ac := tables>>4, tables&15
	if dc > 3 || ac > 3 {
		return part{}, false
	}
	for i := range s.channels {
		c := &s.channels[i]
		if c.id != id {
			continue
		}
		for _, other := range s.parts {
			if other.channel == c {
				return part{}, false
			}
		}
		c.scanned = c.scanned || s.from == 0
		c.dc = 0
		p := part{c, &s.huffman[0][dc], &s.huffman[1][ac]}
		ok := s.known[c.table] && (s.from > 0 || s.high > 0 || p.dcTable.known) && (s.to == 0 || p.acTable.known)
		return p, ok
	}
	return part{}, false
}

// units reads all units of the scan: of one channel, its blocks; of several, as many blocks of each as it has in a unit.
func (s *scan) units() error {
	across, down := s.parts[0].across, s.parts[0].down
	if len(s.parts) > 1 {
		across, down = s.parts[0].room/int(s.parts[0].h), s.parts[0].rows/int(s.parts[0].v)
	}
	left := s.restart
	for y := range down {
		for x := range across {
			if s.restart > 0 {
				if left == 0 {
					if err := s.again(); err != nil {
						return err
					}
					left = s.restart
				}
				left--
			}
			s.unit(x, y)
			if s.ranOut() {
				return damaged("it ends too early, or its pixels are damaged")
			}
		}
	}
	return nil
}

// unit reads the unit at (x, y).
func (s *scan) unit(x, y int) {
	if len(s.parts) == 1 {
		s.block(&s.parts[0], x, y)
		return
	}
	for i := range s.parts {
		p := &s.parts[i]
		for v := range int(p.v) {
			for h := range int(p.h) {
				s.block(p, x*int(p.h)+h, y*int(p.v)+v)
			}
		}
	}
}

// again reads a restart marker, behind which everything begins anew.
func (s *scan) again() error {
	at := s.end()
	for at+2 < len(s.data) && s.data[at] == 0xff && s.data[at+1] == 0xff {
		at++ // fill bytes
	}
	if at+2 > len(s.data) || s.data[at] != 0xff || s.data[at+1] < markRST0 || s.data[at+1] > markRST7 {
		return damaged("it ends too early, or its pixels are damaged")
	}
	s.at, s.run = at+2, 0
	for _, p := range s.parts {
		p.dc = 0
	}
	return nil
}

// block reads what the scan has of one block.
func (s *scan) block(p *part, x, y int) {
	if !s.jpeg.progressive {
		s.baseline(p, x, y)
		return
	}
	b := (*[64]int16)(p.coefficients[(y*p.room+x)*64:])
	switch {
	case s.from == 0 && s.high == 0:
		s.fill()
		p.dc += s.signed(s.symbol(p.dcTable) & 15)
		b[0] = int16(p.dc << s.low)
	case s.from == 0:
		s.fill()
		b[0] |= int16(s.take(1) << s.low)
	case s.high == 0:
		s.firstAC(p, b)
	default:
		s.refineAC(p, b)
	}
}

// baseline reads a block of a picture that is no progressive one, and writes its samples (T.81, F.2.2).
func (s *scan) baseline(p *part, x, y int) {
	var b block
	quant := &s.quant[p.table]
	s.fill()
	p.dc += s.signed(s.symbol(p.dcTable) & 15)
	b[0] = int32(p.dc) * quant[0]
	last := 0
	for k := 1; k < 64; k++ {
		s.fill()
		v := s.symbol(p.acTable)
		size := v & 15
		if size == 0 {
			if v != 0xf0 {
				break
			}
			k += 15
			continue
		}
		if k += v >> 4; k > 63 {
			s.lacks += 1 << 30 // more coefficients than there are
			break
		}
		b[zigzag[k]] = int32(s.signed(size)) * quant[k]
		last = k
	}
	p.transform(&b, last, x, y)
}

// firstAC reads the upper bits of a band of coefficients (T.81, G.1.2.2).
func (s *scan) firstAC(p *part, b *[64]int16) {
	if s.run > 0 {
		s.run--
		return
	}
	for k := s.from; k <= s.to; k++ {
		s.fill()
		v := s.symbol(p.acTable)
		run, size := v>>4, v&15
		if size == 0 && run < 15 {
			s.run = 1<<run - 1 + s.take(run)
			return
		}
		if k += run; k > 63 {
			s.lacks += 1 << 30
			return
		}
		if size > 0 {
			b[k] = int16(s.signed(size) << s.low)
		}
	}
}

// refineAC reads one more bit of a band of coefficients (T.81, G.1.2.3).
func (s *scan) refineAC(p *part, b *[64]int16) {
	k := s.from
	for ; s.run == 0 && k <= s.to; k++ {
		s.fill()
		v := s.symbol(p.acTable)
		run, value := v>>4, 0
		switch v & 15 {
		case 0:
			if run < 15 {
				s.run = 1<<run + s.take(run)
				run = 64 // the rest of the block is refined below
			}
		case 1:
			value = -1 << s.low
			if s.take(1) == 1 {
				value = 1 << s.low
			}
		default:
			s.lacks += 1 << 30
			return
		}
		if run == 64 {
			break
		}
		if k = s.refine(b, k, run); k > s.to {
			return
		}
		if value != 0 {
			b[k] = int16(value)
		}
	}
	if s.run > 0 {
		s.refine(b, k, 64)
		s.run--
	}
}

// refine reads the next bit of each coefficient from k on that is not zero, and passes over as many zeros as zeros says. It
// returns where the next zero lies.
func (s *scan) refine(b *[64]int16, k, zeros int) int {
	for ; k <= s.to; k++ {
		if b[k] == 0 {
			if zeros == 0 {
				return k
			}
			zeros--
			continue
		}
		s.bitReader.fill()
		if s.take(1) == 1 {
			if b[k] > 0 {
				b[k] += 1 << s.low
			} else {
				b[k] -= 1 << s.low
			}
		}
	}
	return k
}
