package logging

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"datakit.dev/internal/input"
	"datakit.dev/internal/spec"
)

// settings is what one instance was told, checked.
type settings struct {
	owner   string // names the instance among those whose offsets lie in one folder
	globs   []string
	ignore  []string
	source  string
	service string

	fromBeginning bool
	dead          time.Duration
	maxOpen       int

	encoding encoding
	rule     rule
	timeout  time.Duration
	max      int
	colours  bool // take terminal codes out
}

func newSettings(v spec.Values) (settings, error) {
	s := settings{
		owner:  v.Hash(input.LiveFields()...),
		source: v.String("source"), service: v.String("service"),
		fromBeginning: v.Bool("from_beginning"), dead: v.Duration("ignore_dead_log"), maxOpen: int(v.Int("max_open_files")),
		timeout: v.Duration("multiline_timeout"), max: int(v.Int("maximum_length")), colours: v.Bool("remove_ansi_escape_codes"),
	}
	if s.source == "" {
		s.source = defaultSource
	}
	if s.service == "" {
		s.service = s.source
	}
	for name, why := range map[string]string{
		"ignore_status":    "drop() in a script leaves logs out by their status",
		"field_white_list": "drop_key() in a script leaves fields out",
		"sockets":          "logs are read from files only",
	} {
		if len(nonEmpty(v.Strings(name))) > 0 {
			return s, fmt.Errorf("%s must be empty: %s", name, why)
		}
	}
	var err error
	if s.globs, err = patterns("logfiles", v.Strings("logfiles"), true); err != nil {
		return s, err
	}
	if len(s.globs) == 0 {
		return s, errors.New(`logfiles is empty: name the files to follow, such as ["/var/log/app/*.log"]`)
	}
	if s.ignore, err = patterns("ignore", v.Strings("ignore"), false); err != nil {
		return s, err
	}
	if s.encoding, err = encodingOf(v.String("character_encoding")); err != nil {
		return s, err
	}
	s.rule, err = ruleOf(v)
	return s, err
}

// maxPatterns bounds a list of globs or regular expressions: each file, or each
// line, is held against all of them.
const maxPatterns = 1000

func nonEmpty(list []string) []string {
	var out []string
	for _, s := range list {
		if s != "" { // upstream's sample has [""]
			out = append(out, s)
		}
	}
	return out
}

// patterns returns the globs of list, whole paths where absolute asks for it.
func patterns(name string, list []string, absolute bool) ([]string, error) {
	list = nonEmpty(list)
	if len(list) > maxPatterns {
		return nil, fmt.Errorf("%s has %d patterns: at most %d are taken", name, len(list), maxPatterns)
	}
	for i, p := range list {
		if strings.ContainsRune(p, 0) || !doublestar.ValidatePathPattern(filepath.FromSlash(p)) {
			return nil, fmt.Errorf("%s: %q is no glob pattern: is a bracket not closed?", name, p)
		}
		if absolute && !filepath.IsAbs(p) {
			return nil, fmt.Errorf("%s: %q is no absolute path", name, p)
		}
		list[i] = filepath.FromSlash(p)
	}
	return list, nil
}

// scriptName returns the script that pipeline means: "nginx" is "nginx.p".
func scriptName(pipeline string) string {
	if pipeline == "" || pipeline == "-" || strings.HasSuffix(pipeline, ".p") {
		return pipeline
	}
	return pipeline + ".p"
}

// rule says which lines begin a record; none means that each does.
type rule struct {
	first []*regexp.Regexp
	auto  bool // until one has matched, each line is a record
}

func ruleOf(v spec.Values) (rule, error) {
	if m := v.String("multiline_match"); m != "" {
		first, err := compile("multiline_match", []string{m})
		return rule{first: first}, err
	}
	if !v.Bool("auto_multiline_detection") {
		return rule{}, nil
	}
	first, err := compile("auto_multiline_extra_patterns", append(nonEmpty(v.Strings("auto_multiline_extra_patterns")), times()...))
	return rule{first: first, auto: true}, err
}

func compile(name string, list []string) ([]*regexp.Regexp, error) {
	if len(list) > maxPatterns {
		return nil, fmt.Errorf("%s has %d patterns: at most %d are taken", name, len(list), maxPatterns)
	}
	out := make([]*regexp.Regexp, len(list))
	for i, s := range list {
		re, err := regexp.Compile(s)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out[i] = re
	}
	return out, nil
}

// times are the beginnings that auto_multiline_detection knows: the common ways
// to write a time.
func times() []string {
	return []string{
		`^\[?\d{4}[-/.]\d{1,2}[-/.]\d{1,2}[T ]\d{1,2}:\d{2}`,            // 2006-01-02T15:04:05, 2006/01/02 15:04
		`^\d{4}-(0?[1-9]|1[0-2])-(0?[1-9]|[12]\d|3[01])`,                // 2006-01-02
		`^[A-Za-z]{3,9},? [A-Za-z]{3,9} +\d{1,2} \d{2}:\d{2}:\d{2}`,     // Mon Jan _2 15:04:05 2006
		`^[A-Za-z]{3,9}, \d{1,2}[- ][A-Za-z]{3}[- ]\d{2,4} \d{2}:\d{2}`, // Monday, 02-Jan-06 15:04
		`^[A-Za-z]{3} +\d{1,2}, \d{4} \d{1,2}:\d{2}:\d{2}`,              // Jan 2, 2006 3:04:05 PM
		`^[A-Za-z]{3} +\d{1,2} \d{2}:\d{2}:\d{2}`,                       // Jan _2 15:04:05, as syslog
		`^\d{1,2} [A-Za-z]{3} \d{2,4} \d{2}:\d{2}`,                      // 02 Jan 06 15:04
	}
}
