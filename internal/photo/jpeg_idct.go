package photo

// The inverse cosine transform of a block of 8 × 8 coefficients to 8 × 8 samples, or straight to 4 × 4, 2 × 2 or one, which is
// what a picture is decoded to that is to be shown smaller. The 8-point one is the algorithm of Loeffler, Ligtenberg and
// Moschytz ("Practical fast 1-D DCT algorithms with 11 multiplications", ICASSP 1989), walked from its end to its
// beginning; the smaller ones take the lower frequencies alone.
//
// Each pass leaves numbers √2 times those of an orthonormal transform, so that one eighth is all that is left to do.

// Fixed point: fixBits bits behind the point; the first pass leaves keptBits of them.
const (
	fixBits  = 14
	keptBits = 4

	sqrt2   = 23170 // √2
	cos1    = 16069 // cos π/16
	sin1    = 3196  // sin π/16
	cos3    = 13623 // cos 3π/16
	sin3    = 9102  // sin 3π/16
	sqrtCos = 21407 // √2 cos π/8
	sqrtSin = 8867  // √2 sin π/8

	pass1     = fixBits - keptBits
	pass1Half = 1 << (pass1 - 1)
	pass2     = fixBits + keptBits + 3
	pass2Half = 128<<pass2 + 1<<(pass2-1) // with what is added to all samples
)

// block holds the coefficients of 8 × 8 samples, in rows.
type block [64]int32

// even8 is what an 8-point transform's even inputs give.
func even8(x0, x2, x4, x6 int) (e0, e1, e2, e3 int) {
	t0, t1 := (x0+x4)<<fixBits, (x0-x4)<<fixBits
	t2, t3 := x2*sqrtSin-x6*sqrtCos, x2*sqrtCos+x6*sqrtSin
	return t0 + t3, t1 + t2, t1 - t2, t0 - t3
}

// odd8 is what an 8-point transform's odd inputs give: what is added for samples 0 to 3 and taken away for 7 to 4.
func odd8(x1, x3, x5, x7 int) (o0, o1, o2, o3 int) {
	s3, s5 := x3*sqrt2>>keptBits, x5*sqrt2>>keptBits
	p, m := (x1+x7)<<pass1, (x1-x7)<<pass1
	a, b, c, d := m+s5, p-s3, m-s5, p+s3
	return (a*sin3 + d*cos3) >> pass1, (b*sin1 + c*cos1) >> pass1, (b*cos1 - c*sin1) >> pass1, (a*cos3 - d*sin3) >> pass1
}

// idct8 writes b as 8 × 8 samples.
func idct8(b *block, dst []byte, stride int) {
	for x := range 8 {
		if b[8+x]|b[16+x]|b[24+x]|b[32+x]|b[40+x]|b[48+x]|b[56+x] == 0 {
			v := b[x] << keptBits
			for y := x; y < 64; y += 8 {
				b[y] = v
			}
			continue
		}
		e0, e1, e2, e3 := even8(int(b[x]), int(b[16+x]), int(b[32+x]), int(b[48+x]))
		o0, o1, o2, o3 := odd8(int(b[8+x]), int(b[24+x]), int(b[40+x]), int(b[56+x]))
		b[x], b[56+x] = int32((e0+o0+pass1Half)>>pass1), int32((e0-o0+pass1Half)>>pass1)
		b[8+x], b[48+x] = int32((e1+o1+pass1Half)>>pass1), int32((e1-o1+pass1Half)>>pass1)
		b[16+x], b[40+x] = int32((e2+o2+pass1Half)>>pass1), int32((e2-o2+pass1Half)>>pass1)
		b[24+x], b[32+x] = int32((e3+o3+pass1Half)>>pass1), int32((e3-o3+pass1Half)>>pass1)
	}
	for y := range 8 {
		r, out := b[8*y:8*y+8:8*y+8], dst[y*stride:][:8:8]
		e0, e1, e2, e3 := even8(int(r[0]), int(r[2]), int(r[4]), int(r[6]))
		o0, o1, o2, o3 := odd8(int(r[1]), int(r[3]), int(r[5]), int(r[7]))
		out[0], out[7] = sample(e0+o0), sample(e0-o0)
		out[1], out[6] = sample(e1+o1), sample(e1-o1)
		out[2], out[5] = sample(e2+o2), sample(e2-o2)
		out[3], out[4] = sample(e3+o3), sample(e3-o3)
	}
}

// sample rounds what the second pass left, and keeps it within a byte.
func sample(v int) byte {
	v = (v + pass2Half) >> pass2
	if uint(v) > 255 {
		return byte(^(v >> 63)) // 0 below, 255 above
	}
	return byte(v)
}

// line4 is a 4-point transform.
func line4(x0, x1, x2, x3 int) (y0, y1, y2, y3 int) {
	e0, e1 := (x0+x2)<<fixBits, (x0-x2)<<fixBits
	o0, o1 := x1*sqrtCos+x3*sqrtSin, x1*sqrtSin-x3*sqrtCos
	return e0 + o0, e1 + o1, e1 - o1, e0 - o0
}

// idct4 writes b as 4 × 4 samples.
func idct4(b *block, dst []byte, stride int) {
	for x := range 4 {
		y0, y1, y2, y3 := line4(int(b[x]), int(b[8+x]), int(b[16+x]), int(b[24+x]))
		b[x], b[8+x] = int32((y0+pass1Half)>>pass1), int32((y1+pass1Half)>>pass1)
		b[16+x], b[24+x] = int32((y2+pass1Half)>>pass1), int32((y3+pass1Half)>>pass1)
	}
	for y := range 4 {
		r, out := b[8*y:8*y+4:8*y+4], dst[y*stride:][:4:4]
		y0, y1, y2, y3 := line4(int(r[0]), int(r[1]), int(r[2]), int(r[3]))
		out[0], out[1], out[2], out[3] = sample(y0), sample(y1), sample(y2), sample(y3)
	}
}

// idct2 writes b as 2 × 2 samples.
func idct2(b *block, dst []byte, stride int) {
	const up = fixBits + keptBits
	a, c := int(b[0]+b[1]), int(b[0]-b[1])
	d, e := int(b[8]+b[9]), int(b[8]-b[9])
	dst[0], dst[1] = sample((a+d)<<up), sample((c+e)<<up)
	dst[stride], dst[stride+1] = sample((a-d)<<up), sample((c-e)<<up)
}

// idct1 writes b's mean, as side × side samples.
func idct1(b *block, dst []byte, stride, side int) {
	v := sample(int(b[0]) << (fixBits + keptBits))
	for y := range side {
		row := dst[y*stride:][:side]
		for x := range row {
			row[x] = v
		}
	}
}
