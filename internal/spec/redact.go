package spec

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Hidden stands where a secret was.
const Hidden = "******"

// secretName matches the keys whose value is hidden in a text that could not be
// decoded, where no schema tells which line holds a secret.
var secretName = regexp.MustCompile(`(?i)pass|secret|token|credential|private|auth|_key|apikey|dsn|session`) //nolint:gochecknoglobals // compiled once, never written

// credentials matches user:password@ in an address and token=… in a URL.
var credentials = regexp.MustCompile(`(://[^/@\s"']*:)[^/@\s"']+@|([?&](?:token|password|secret|access_key|sig)=)[^&\s"']+`) //nolint:gochecknoglobals // compiled once, never written

// Redact returns v with every secret field hidden, for a log or a status.
func (s Schema) Redact(v Values) Values { return redact(s.Fields, v) }

func redact(fields []Field, v Values) Values {
	out := maps.Clone(v)
	for _, f := range fields {
		switch have := v[f.Name].(type) {
		case Values:
			out[f.Name] = redact(f.Fields, have)
		case []Values:
			list := make([]Values, len(have))
			for i, e := range have {
				list[i] = redact(f.Fields, e)
			}
			out[f.Name] = list
		case string:
			if f.Secret && have != "" {
				out[f.Name] = Hidden
			} else {
				out[f.Name] = RedactURL(have)
			}
		}
	}
	return out
}

// RedactURL hides the password and the token of an address or of a text that
// holds some.
func RedactURL(s string) string {
	return credentials.ReplaceAllStringFunc(s, func(m string) string {
		if rest, ok := strings.CutPrefix(m, "://"); ok {
			user, _, _ := strings.Cut(rest, ":")
			return "://" + user + ":" + Hidden + "@"
		}
		head, _, _ := strings.Cut(m, "=")
		return head + "=" + Hidden
	})
}

// Secrets returns the names of the secret fields of s and of its tables.
func (s Schema) Secrets() []string { return secrets(s.Fields) }

func secrets(fields []Field) (names []string) {
	for _, f := range fields {
		if f.Secret {
			names = append(names, f.Name)
		}
		names = append(names, secrets(f.Fields)...)
	}
	return names
}

// RedactLine hides what looks like a secret in one line of configuration, and
// what stands behind the name of a field that is known to hold one.
func RedactLine(line string, secrets ...string) string {
	name, _, ok := strings.Cut(line, "=")
	known := func(s string) bool { return strings.Contains(line, s) }
	if ok && (secretName.MatchString(line) || slices.ContainsFunc(secrets, known)) {
		return name + "= " + Hidden
	}
	if !ok && strings.TrimSpace(line) != "" && !strings.HasPrefix(strings.TrimSpace(line), "[") {
		return "" // part of a longer value: no telling whose
	}
	return RedactURL(line)
}
