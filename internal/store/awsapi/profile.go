package awsapi

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"datakit.dev/internal/store"
)

// profile is a section of the shared files of the AWS tools.
func (f finder) profile(ctx context.Context) (aws.Credentials, error) {
	p, err := f.section()
	if err != nil {
		return aws.Credentials{}, err
	}
	found := aws.Credentials{AccessKeyID: p["aws_access_key_id"], SecretAccessKey: p["aws_secret_access_key"], SessionToken: p["aws_session_token"]}
	if found.AccessKeyID != "" && p["source_profile"] == "" {
		return found, nil
	}
	for _, name := range []string{"source_profile", "credential_source", "credential_process", "sso_session", "sso_start_url", "login_session"} {
		if p[name] != "" {
			return found, fmt.Errorf("%w: the AWS profile %s uses %s, which the agent does not: put the keys that `aws configure export-credentials` shows into the environment",
				store.ErrDenied, f.profileName(), name)
		}
	}
	return f.assume(ctx, p["web_identity_token_file"], p["role_arn"], p["role_session_name"])
}

func (f finder) profileName() string {
	if name := f.env("AWS_PROFILE"); name != "" {
		return name
	}
	return "default"
}

// section returns the profile in use, of both files: keys of the first one win.
func (f finder) section() (map[string]string, error) {
	name, merged := f.profileName(), map[string]string{}
	sections := []string{name, "profile " + name} // the second file has a word before all but default
	there := false
	for i, variable := range []string{"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"} {
		path := f.env(variable)
		if path == "" {
			path = filepath.Join(f.env("HOME"), ".aws", []string{"config", "credentials"}[i])
		}
		text, err := readFile(path)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) && f.env(variable) == "" {
			continue // the home of a service may be anybody's
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", store.ErrDenied, variable, err)
		}
		all := parseINI(text)
		for _, s := range sections {
			if values, ok := all[s]; ok {
				there = true
				maps.Copy(merged, values)
			}
		}
	}
	switch {
	case there:
		return merged, nil
	case f.env("AWS_PROFILE") != "":
		return nil, fmt.Errorf("%w: there is no AWS profile %s", store.ErrDenied, brief(name))
	}
	return nil, errNone
}

// parseINI reads the sections of a file of the AWS tools. What it does not
// understand it passes over, as they do.
func parseINI(text string) map[string]map[string]string {
	all := map[string]map[string]string{}
	var section map[string]string
	for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		nested := strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t")
		line = strings.TrimSpace(line)
		if line == "" || nested || line[0] == '#' || line[0] == ';' {
			continue
		}
		if line[0] == '[' {
			name, _, ok := strings.Cut(line[1:], "]")
			section = nil
			if name = strings.Join(strings.Fields(name), " "); ok && name != "" {
				if all[name] == nil {
					all[name] = map[string]string{}
				}
				section = all[name]
			}
			continue
		}
		if key, value, ok := strings.Cut(line, "="); ok && section != nil {
			value, _, _ = strings.Cut(value, " #")
			section[strings.ToLower(strings.TrimSpace(key))] = strings.TrimSpace(value)
		}
	}
	return all
}
