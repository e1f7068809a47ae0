package cli

import (
	"bufio"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"datakit.dev/internal/pipeline/trial"
	"datakit.dev/internal/point"
	"datakit.dev/internal/point/lineproto"
	"datakit.dev/internal/store"
)

// sampleFlags say what points a script is tried on.
type sampleFlags struct {
	category, measurement string
	texts, records        []string
	file                  string
}

func (f *sampleFlags) add(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringVar(&f.category, "category", "", "category of the points (default: the folder of FILE, else logging)")
	fs.StringVar(&f.measurement, "measurement", "", "measurement, or source, of the points (default: the name of FILE)")
	fs.StringArrayVar(&f.texts, "text", nil, "run on a point whose message is this `text`; may be repeated")
	fs.StringArrayVar(&f.records, "point", nil, "run on a point in `line protocol`; may be repeated")
	fs.StringVar(&f.file, "file", "", "run on each line of a `file`, - is standard input: texts for logging, else line protocol")
	cmd.MarkFlagsMutuallyExclusive("text", "point", "file")
}

// categoryOf returns the category that points run through the script at path as.
func (f *sampleFlags) categoryOf(path string) (point.Category, error) {
	if f.category == "" {
		return folderCategory(path), nil
	}
	c, ok := point.ParseCategory(f.category)
	if !ok {
		return "", usage("unknown category %q; there is %s", f.category, categoryNames())
	}
	return c, nil
}

// folderCategory returns the category of the script at path: that of its folder,
// or logging, as for a script at the top of the work directory's folder.
func folderCategory(path string) point.Category {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	if c, ok := point.ParseCategory(filepath.Base(filepath.Dir(path))); ok {
		return c
	}
	return point.Logging
}

func categoryNames() string {
	var names []string
	for _, c := range point.Categories() {
		names = append(names, string(c))
	}
	return strings.Join(names, " ")
}

// points yields the sample points, or what is wrong with one of them.
func (f *sampleFlags) points(p program, script string, category point.Category) iter.Seq2[point.Point, error] {
	measurement := f.measurement
	if measurement == "" {
		measurement = strings.TrimSuffix(filepath.Base(script), scriptSuffix)
	}
	return func(yield func(point.Point, error) bool) {
		for _, text := range f.texts {
			if !yield(trial.Text(measurement, text), nil) {
				return
			}
		}
		for _, text := range f.records {
			if !f.decode(text, "--point", yield) {
				return
			}
		}
		if f.file == "" {
			return
		}
		n := 0
		for line, err := range p.sampleLines(f.file) {
			n++
			switch {
			case err != nil:
				yield(point.Point{}, err)
				return
			case strings.TrimSpace(line) == "":
			case category == point.Logging && !yield(trial.Text(measurement, line), nil):
				return
			case category != point.Logging && !f.decode(line, fmt.Sprintf("%s: line %d", f.file, n), yield):
				return
			}
		}
	}
}

// decode yields the points of a text in line protocol.
func (f *sampleFlags) decode(text, origin string, yield func(point.Point, error) bool) bool {
	pts, bad := lineproto.Decode(text, lineproto.Options{})
	if len(bad) > 0 {
		yield(point.Point{}, bad.In(origin, ""))
		return false
	}
	for _, pt := range pts {
		if f.measurement != "" {
			pt.Name = f.measurement
		}
		if !yield(pt, nil) {
			return false
		}
	}
	return true
}

// sampleLines yields the lines of a file, or of standard input.
func (p program) sampleLines(path string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		in := io.NopCloser(p.Stdin)
		if path != fromStdin {
			file, err := os.Open(path)
			if err != nil {
				yield("", err)
				return
			}
			in = file
		}
		defer func() { _ = in.Close() }() // it was only read
		lines := bufio.NewScanner(in)
		lines.Buffer(nil, store.MaxValue)
		for lines.Scan() {
			if !yield(strings.TrimSuffix(lines.Text(), "\r"), nil) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield("", fmt.Errorf("read %s: %w: a line has at most %d bytes", path, err, store.MaxValue))
		}
	}
}
