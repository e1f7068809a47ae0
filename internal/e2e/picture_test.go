package e2e

import (
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// shrink writes a picture again with at most 256 colours, a third of the size: a
// page has few, and the shades at the edges of its letters.
func shrink(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	img, err := png.Decode(f)
	_ = f.Close()
	if err != nil {
		return err
	}
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	defer out.Close()
	return (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(out, paletted(img))
}

// paletted returns img in its most frequent colours; the others become the nearest.
func paletted(img image.Image) *image.Paletted {
	count := map[color.RGBA]int{}
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			count[rgba(img.At(x, y))]++
		}
	}
	list := make([]color.RGBA, 0, len(count))
	for c := range count {
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b color.RGBA) int {
		if n := count[b] - count[a]; n != 0 {
			return n
		}
		return int(number(a)) - int(number(b)) // the same picture has the same bytes
	})
	var palette color.Palette
	for _, c := range list[:min(len(list), 256)] {
		palette = append(palette, c)
	}
	nearest := make(map[color.RGBA]uint8, len(list))
	for _, c := range list {
		nearest[c] = uint8(palette.Index(c)) //nolint:gosec // of 256
	}
	out := image.NewPaletted(b, palette)
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			out.SetColorIndex(x, y, nearest[rgba(img.At(x, y))])
		}
	}
	return out
}

func rgba(c color.Color) color.RGBA { return color.RGBAModel.Convert(c).(color.RGBA) }

func number(c color.RGBA) uint32 { return uint32(c.R)<<16 | uint32(c.G)<<8 | uint32(c.B) }

func TestASmallPictureShowsTheSame(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 100, 100))
	for y := range 100 {
		for x := range 100 {
			c := color.RGBA{255, 255, 255, 255}
			if x < 50 {
				c = color.RGBA{uint8(x), uint8(y), 0, 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	out := paletted(img)
	if len(out.Palette) != 256 {
		t.Errorf("%d colours", len(out.Palette))
	}
	for y := range 100 {
		for x := range 100 {
			a, b := rgba(img.At(x, y)), rgba(out.At(x, y))
			if d := max(int(a.R)-int(b.R), int(b.R)-int(a.R), int(a.G)-int(b.G), int(b.G)-int(a.G)); d > 50 || x >= 50 && a != b {
				t.Fatalf("%d,%d is %v, and was %v", x, y, b, a)
			}
		}
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "a.png")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(f, img); err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	if err := shrink(path); err != nil {
		t.Fatal(err)
	}
	if shrink(filepath.Join(dir, "none.png")) == nil {
		t.Error("a picture that is not there was written")
	}
}
