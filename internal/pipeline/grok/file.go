package grok

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"strings"
)

const (
	maxFile = 4 << 20   // bytes of one pattern file
	maxLine = 256 << 10 // bytes of one of its lines
)

// ReadPatterns reads every pattern file in the top folder of fsys, in the
// order of their names; of a pattern that is defined twice the last stays.
//
// A line is a name, one blank and a regular expression; empty lines, lines of
// one word and lines that begin with # are skipped. An error names the files
// that could not be read; the patterns of the others are returned beside it.
func ReadPatterns(fsys fs.FS) (map[string]string, error) {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, fmt.Errorf("read pattern files: %w", err)
	}
	all := map[string]string{}
	var refused []error
	for _, entry := range entries {
		if entry.IsDir() {
			continue
		}
		patterns, err := readPatternFile(fsys, entry.Name())
		if err != nil {
			refused = append(refused, fmt.Errorf("read pattern file %s: %w", entry.Name(), err))
			continue
		}
		maps.Copy(all, patterns)
	}
	return all, errors.Join(refused...)
}

func readPatternFile(fsys fs.FS, name string) (map[string]string, error) {
	file, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // Reading is over; nothing is lost.
	stat, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if stat.IsDir() {
		return nil, nil // Behind a link, as a mounted ConfigMap has one.
	}
	if !stat.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	if stat.Size() > maxFile {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrLimit, stat.Size(), maxFile)
	}
	return parsePatterns(io.LimitReader(file, maxFile))
}

func parsePatterns(r io.Reader) (map[string]string, error) {
	patterns := map[string]string{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		line := lines.Text()
		name, pattern, ok := strings.Cut(line, " ")
		if !ok || name == "" || strings.HasPrefix(line, "#") {
			continue
		}
		patterns[name] = pattern
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	return patterns, nil
}
