package logging

import (
	"path/filepath"
	"strings"
	"unicode/utf8"

	"datakit.dev/internal/point"
)

const (
	batchPoints = 1000
	batchBytes  = 1 << 20
	pointFields = 5 // most that one point has
)

// A batch is points, and how far each file is read once they are taken.
type batch struct {
	points []point.Point
	marks  []mark
	bytes  int
}

func (b *batch) full() bool  { return len(b.points) >= batchPoints || b.bytes >= batchBytes }
func (b *batch) empty() bool { return len(b.marks) == 0 }

func (s *settings) tags(path string) []point.Tag {
	return []point.Tag{{Key: "filename", Value: filepath.Base(path)}, {Key: "filepath", Value: path}, {Key: "service", Value: s.service}}
}

// add makes points of the records of f in buf, which begins at f.base. The
// fields and tags of all lie in one slab each, and their texts share the
// bytes of one string: a line costs no allocation of its own.
func (b *batch) add(s *settings, f *file, buf []byte, recs []record) {
	if len(recs) == 0 {
		return
	}
	last := recs[len(recs)-1].end
	text := s.texts(buf, recs[0].from, last)
	fields := make([]point.Field, 0, pointFields*len(recs))
	tags := make([]point.Tag, 0, len(f.tags)*len(recs))
	for _, r := range recs {
		f.lines += int64(r.lines)
		message := text(r)
		if f.base == 0 && r.from == 0 {
			message = strings.TrimPrefix(message, "\ufeff")
		}
		if message == "" {
			continue
		}
		from, at := len(fields), len(tags)
		fields = append(
			fields, point.Field{Key: "message", Value: point.StringOf(message)},
			point.Field{Key: "status", Value: point.StringOf("info")},
			point.Field{Key: "log_read_lines", Value: point.IntOf(f.lines)},
			point.Field{Key: "log_read_offset", Value: point.IntOf(f.base + int64(r.from))},
		)
		if r.part > 0 {
			fields = append(fields, point.Field{Key: "log_part", Value: point.IntOf(int64(r.part))})
		}
		tags = append(tags, f.tags...)
		// Neither may grow into its neighbour's.
		b.points = append(b.points, point.Point{Name: s.source, Tags: tags[at:len(tags):len(tags)], Fields: fields[from:len(fields):len(fields)]})
	}
	b.bytes += last - recs[0].from
	b.marks = append(b.marks, mark{f.entry, f.entry.gen, f.base + int64(last), f.lines, tailOf(buf, last)})
}

// texts returns what gives a record's text.
func (s *settings) texts(buf []byte, from, to int) func(record) string {
	if !s.encoding.plain() {
		return func(r record) string { return s.clean(string(s.encoding.text(buf[r.from:r.to])), true) }
	}
	all := string(buf[from:to])
	valid := utf8.ValidString(all)
	return func(r record) string { return s.clean(all[r.from-from:r.to-from], valid) }
}

// clean takes out of a text what no output could carry or nobody wants to read.
func (s *settings) clean(text string, valid bool) string {
	// What is written behind the old end of a file that was cut off leaves a hole
	// of NULs before it.
	text = strings.TrimLeft(text, "\x00")
	if !valid {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	if strings.Contains(text, "\r\n") {
		text = strings.ReplaceAll(text, "\r\n", "\n")
	}
	if s.colours && strings.IndexByte(text, escape) >= 0 {
		text = stripANSI(text)
	}
	return text
}
