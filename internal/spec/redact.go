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
var secretName = regexp.MustCompile(`(?i)pass|secret|token|credential|private|auth|_key|apikey|dsn|session`)

// credentials matches user:password@ in an address and token=… in a URL.
var credentials = regexp.MustCompile(`(://[^/@\s"']*:)[^/@\s"']+@|([?&](?:token|password|secret|access_key|sig)=)[^&\s"']+`)

// Redact returns v with every secret field hidden, for a log or a status.
func (s Schema) Redact(v Values) Values { return redact(s.Fields, v) }

func redact(fields []Field, v Values) Values {
	out := maps.Clone(v)
	for _, f := range fields {
		if have, ok := v[f.Name]; ok {
			out[f.Name] = f.redact(have)
		}
	}
	return out
}

// redact returns v without secrets: the whole of a secret field, and of any
// other the credentials in an address. The type stays, so that the result still
// decodes and shows as before; a secret number becomes zero.
func (f Field) redact(v any) any {
	hide := RedactURL
	if f.Secret {
		hide = func(s string) string {
			if s == "" {
				return ""
			}
			return Hidden
		}
	}
	switch v := v.(type) {
	case Values:
		return redact(f.Fields, v)
	case []Values:
		list := make([]Values, len(v))
		for i, e := range v {
			list[i] = redact(f.Fields, e)
		}
		return list
	case string:
		return hide(v)
	case []string:
		list := make([]string, len(v))
		for i, s := range v {
			list[i] = hide(s)
		}
		return list
	case map[string]string:
		m := make(map[string]string, len(v))
		for k, s := range v {
			m[k] = hide(s)
		}
		return m
	}
	if f.Secret {
		return Field{Type: f.Type}.Zero()
	}
	return v
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

// RedactLine hides what looks like a secret in one line of configuration. A line
// that is neither a header, a comment nor begins with a key may be part of a
// longer value, no telling whose: all of it is hidden. So is what stands behind
// a name in secrets: the fields that a schema knows to be secret.
func RedactLine(line string, secrets ...string) string {
	text := strings.TrimSpace(line)
	switch {
	case text == "" || header.MatchString(text):
		return RedactURL(line)
	case !assignment.MatchString(text):
		return Hidden
	case secretName.MatchString(line) || slices.ContainsFunc(secrets, func(s string) bool { return strings.Contains(line, s) }):
		name, _, _ := strings.Cut(line, "=")
		return name + "= " + Hidden
	}
	return RedactURL(line)
}

// RedactCode hides what looks like a secret in one line of a script: every quoted
// text of a line that speaks of a password or a token, and the credentials in an
// address.
func RedactCode(line string) string {
	if secretName.MatchString(line) {
		return literal.ReplaceAllString(line, `"`+Hidden+`"`)
	}
	return RedactURL(line)
}

// literal matches the quoted texts of a script; one that does not end on its line
// goes to the line's end.
var literal = regexp.MustCompile("\"(?:[^\"\\\\]|\\\\.)*(?:\"|$)|'(?:[^'\\\\]|\\\\.)*(?:'|$)|`[^`]*(?:`|$)")

// header and assignment match the lines whose beginning tells what they hold.
var (
	header     = regexp.MustCompile(`^\[{1,2}[\w .-]+\]{1,2}(\s*#.*)?$`)
	assignment = regexp.MustCompile(`^[\w.-]+\s*=`)
)
