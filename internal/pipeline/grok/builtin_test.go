package grok

import (
	"slices"
	"testing"
)

// TestBuiltinPatterns says for each built-in pattern what it takes as a whole
// and what it does not.
func TestBuiltinPatterns(t *testing.T) {
	set := builtins(t)
	var tested []string
	for _, test := range []struct {
		name  string
		takes []string
		not   []string
	}{
		{
			"USERNAME",
			[]string{"root", "a.b-c_1", "0", "."},
			[]string{"", "a b", "a@b", "é"},
		},
		{
			"USER",
			[]string{"alice"},
			[]string{"alice!"},
		},
		{
			"EMAILLOCALPART",
			[]string{"ab", "john.doe+tag", "a:", "a="},
			[]string{"a", "1ab", "a b", ""},
		},
		{
			"EMAILADDRESS",
			[]string{"john@example.com", "a.b@c"},
			[]string{"john", "@example.com", "john@"},
		},
		{
			"HTTPDUSER",
			[]string{"john@example.com", "-", "alice"},
			[]string{"a b", ""},
		},
		{
			"WORD",
			[]string{"word", "w_1", "9"},
			[]string{"", "two words", "a-b", "é"},
		},
		{
			"NOTSPACE",
			[]string{"a-b", "é", "\xff", "\u00a0"},
			[]string{"", "a b", "a\t"},
		},
		{
			"SPACE",
			[]string{"", " ", "\t\n\f\r "},
			[]string{"x", "\u00a0", "\v"},
		},
		{
			"DATA",
			[]string{"", "any thing"},
			[]string{"a\nb"},
		},
		{
			"GREEDYDATA",
			[]string{"", "any thing \xff"},
			[]string{"a\nb"},
		},
		{
			"GREEDYLINES",
			[]string{"", "a\nb"},
			nil,
		},
		{
			"QUOTEDSTRING",
			[]string{`""`, `"a b"`, `'a'`, `"a \" b"`, `'it\'s'`, "\"a\nb\""},
			[]string{`"`, `"a'`, `"a" b"`, `a`},
		},
		{
			"QS",
			[]string{`"-"`},
			[]string{`-`},
		},
		{
			"UUID",
			[]string{"550e8400-e29b-41d4-a716-446655440000", "550E8400-E29B-41D4-A716-446655440000"},
			[]string{"550e8400e29b41d4a716446655440000", "550e8400-e29b-41d4-a716-44665544000g"},
		},
		{
			"INT",
			[]string{"0", "-12", "+7", "007"},
			[]string{"", "1.5", "--1", "1e3"},
		},
		{
			"BASE10NUM",
			[]string{"0", "-1.5", "+12", ".5"},
			[]string{"", "1.", "-.5", "0x1"},
		},
		{
			"NUMBER",
			[]string{"12", "1.25"},
			[]string{"1,2"},
		},
		{
			"BASE16NUM",
			[]string{"0x1F", "0Xff", "01f"},
			[]string{"1F", "0x", "0xG", "-0x1"},
		},
		{
			"POSINT",
			[]string{"1", "120"},
			[]string{"0", "01", "-1", "1a"},
		},
		{
			"NONNEGINT",
			[]string{"0", "01", "7"},
			[]string{"-1", "a"},
		},
		{
			"MAC",
			[]string{"0011.2233.4455", "00-1B-44-11-3A-B7", "00:1b:44:11:3a:b7"},
			[]string{"001122334455", "00:1b:44:11:3a", "00:1b-44:11:3a:b7"},
		},
		{
			"CISCOMAC",
			[]string{"0011.2233.4455"},
			[]string{"0011-2233-4455"},
		},
		{
			"WINDOWSMAC",
			[]string{"00-1B-44-11-3A-B7"},
			[]string{"00:1B:44:11:3A:B7"},
		},
		{
			"COMMONMAC",
			[]string{"00:1B:44:11:3A:B7"},
			[]string{"00-1B-44-11-3A-B7"},
		},
		{
			"IPV6",
			[]string{"::1", "::", "2001:db8::ff00:42:8329", "1:2:3:4:5:6:7:8", "::ffff:10.0.0.1", "fe80::1%eth0", "1:2:3:4:5:6:1.2.3.4"},
			[]string{"1:2:3:4:5:6:7", "1::2::3", "12345::", "10.0.0.1", "1:2:3:4:5:6:7:8:9"},
		},
		{
			"IPV4",
			[]string{"10.0.0.1", "255.255.255.255", "001.2.3.4"},
			[]string{"256.1.1.1", "1.2.3", "1.2.3.4.5", "a.b.c.d"},
		},
		{
			"IP",
			[]string{"10.0.0.1", "::1"},
			[]string{"host"},
		},
		{
			"HOSTNAME",
			[]string{"localhost", "a.b-c.example.com", "a.", "1.2.3.4"},
			[]string{"-a", "a..b", "a_b", ""},
		},
		{
			"HOST",
			[]string{"localhost"},
			[]string{"a b"},
		},
		{
			"IPORHOST",
			[]string{"localhost", "10.0.0.1", "::1"},
			[]string{"", "a/b"},
		},
		{
			"HOSTPORT",
			[]string{"localhost:80", "10.0.0.1:8080"},
			[]string{"localhost", "localhost:0", "localhost:"},
		},
		{
			"PATH",
			[]string{"/", "/var/log/x.log", `C:\win\a.txt`, `\\share\x`},
			[]string{"var/log", "/a b", "C:"},
		},
		{
			"UNIXPATH",
			[]string{"/", "/é", "//x"},
			[]string{"x", "/a b"},
		},
		{
			"TTY",
			[]string{"/dev/pts/0", "/dev/tty1", "/dev/ttyp3", "/dev/ttyS0"},
			[]string{"/dev/pts", "/dev/console", "tty1"},
		},
		{
			"WINPATH",
			[]string{`C:\`, `C:\win\a b.txt`, `\\x`},
			[]string{"C:", `C:\a?`, "/x"},
		},
		{
			"URIPROTO",
			[]string{"http", "svn+ssh"},
			[]string{"", "http:", "h2", "a+"},
		},
		{
			"URIHOST",
			[]string{"example.com", "example.com:80", "10.0.0.1:1"},
			[]string{"example.com:", "a/b"},
		},
		{
			"URIPATH",
			[]string{"/", "/a/b.html", "//", "/a;b=c,d"},
			[]string{"a", "/a b", "/a?b"},
		},
		{
			"URIPARAM",
			[]string{"?", "?a=b&c=[1]", "?q=x|y"},
			[]string{"a=b", "?a b", `?"`},
		},
		{
			"URIPATHPARAM",
			[]string{"/a", "/a?b=c"},
			[]string{"?b=c", "/a?b?c\""},
		},
		{
			"URI",
			[]string{"http://", "http://user:pw@www.example.com:80/path/to?q=1", "file:///etc/passwd"},
			[]string{"http:/x", "www.example.com", "http://a b"},
		},
		{
			"MONTH",
			[]string{"Jan", "January", "Mär", "März", "Okt", "Dez", "Mai"},
			[]string{"jan", "Janu", "Month", "13"},
		},
		{
			"MONTHNUM",
			[]string{"1", "09", "12"},
			[]string{"0", "13", "00"},
		},
		{
			"MONTHNUM2",
			[]string{"01", "12"},
			[]string{"1", "13"},
		},
		{
			"MONTHDAY",
			[]string{"1", "09", "31"},
			[]string{"0", "32", "00"},
		},
		{
			"DAY",
			[]string{"Mon", "Tuesday", "Sun"},
			[]string{"mon", "Tues", "Someday"},
		},
		{
			"YEAR",
			[]string{"21", "2021"},
			[]string{"1", "202", "20210"},
		},
		{
			"HOUR",
			[]string{"0", "09", "23"},
			[]string{"24", "-1"},
		},
		{
			"MINUTE",
			[]string{"00", "59"},
			[]string{"60", "5"},
		},
		{
			"SECOND",
			[]string{"0", "59", "60", "05.123", "5,5", "5:5"},
			[]string{"61", "5.", "5-5"},
		},
		{
			"TIME",
			[]string{"10:11:12", " 10:11:12.5 ", "T1:00:60Z"},
			[]string{"10:11", "24:00:00", "x 10:11:12"},
		},
		{
			"DATE_US",
			[]string{"5/13/2021", "12-31-99"},
			[]string{"13/5/2021", "5.13.2021"},
		},
		{
			"DATE_EU",
			[]string{"13.5.2021", "31/12/99"},
			[]string{"5.13.2021", "13 5 2021"},
		},
		{
			"ISO8601_TIMEZONE",
			[]string{"Z", "+08:00", "-0330"},
			[]string{"+08", "UTC", "08:00"},
		},
		{
			"ISO8601_SECOND",
			[]string{"60", "59.999"},
			[]string{"99"},
		},
		{
			"TIMESTAMP_ISO8601",
			[]string{"2021-07-20T10:11:12.345+08:00", "2021-07-20 10:11", "2021-07-20T101112Z"},
			[]string{"2021-07-20", "2021/07/20 10:11:12", "2021-13-20T10:11"},
		},
		{
			"DATE",
			[]string{"5/13/2021", "13.5.2021"},
			[]string{"2021-05-13-"},
		},
		{
			"DATESTAMP",
			[]string{"5/13/2021 10:11:12", "13.5.2021-10:11:12"},
			[]string{"5/13/2021T10:11:12"},
		},
		{
			"TZ",
			[]string{"UTC", "PST", "EDT"},
			[]string{"CET", "Z"},
		},
		{
			"DATESTAMP_RFC822",
			[]string{"Tue May 18 2021 06:25:05 EST"},
			[]string{"Tue, May 18 2021 06:25:05 EST"},
		},
		{
			"DATESTAMP_RFC2822",
			[]string{"Tue, 18 May 2021 06:25:05 +0000", "Tue, 18 May 2021 06:25:05 Z"},
			[]string{"Tue 18 May 2021 06:25:05 +0000"},
		},
		{
			"DATESTAMP_OTHER",
			[]string{"Tue May 18 06:25:05 UTC 2021"},
			[]string{"Tue May 18 06:25:05 2021"},
		},
		{
			"DATESTAMP_EVENTLOG",
			[]string{"20210720101112"},
			[]string{"20210720", "2021-07-20101112"},
		},
		{
			"HTTPDERROR_DATE",
			[]string{"Tue May 18 06:25:05 2021", "Tue May 18 06:25:05.123 2021"},
			[]string{"May 18 06:25:05 2021"},
		},
		{
			"SYSLOGTIMESTAMP",
			[]string{"Jun 14 15:16:01", "Jun  4 15:16:01"},
			[]string{"Jun14 15:16:01"},
		},
		{
			"HTTPDATE",
			[]string{"19/Jun/2021:04:04:58 +0000"},
			[]string{"19/06/2021:04:04:58 +0000", "19/Jun/2021:04:04:58"},
		},
		{
			"LOGLEVEL",
			[]string{"info", "Info", "INFO", "warn", "WARNING", "err", "Error", "crit", "EMERG", "emergency", "severe"},
			[]string{"iNFO", "warnin", "panic", "ok"},
		},
		{
			"PROG",
			[]string{"sshd(pam_unix)", "a/b"},
			[]string{"a[b", "a]", "a b", ""},
		},
		{
			"SYSLOGPROG",
			[]string{"sshd[99]", "cron"},
			[]string{"sshd[", "sshd[0]"},
		},
		{
			"SYSLOGHOST",
			[]string{"combo", "10.0.0.1"},
			[]string{""},
		},
		{
			"SYSLOGFACILITY",
			[]string{"<3.4>", "<3-4>"},
			[]string{"<34", "<.>"},
		},
		{
			"SYSLOGBASE",
			[]string{"Jun 14 15:16:01 combo sshd[99]:", "Jun 14 15:16:01 <3.4> combo su:"},
			[]string{"Jun 14 15:16:01 combo sshd"},
		},
		{
			"COMMONAPACHELOG",
			[]string{`1.2.3.4 - - [19/Jun/2021:04:04:58 +0000] "GET /a HTTP/1.1" 200 612`, `h - u [19/Jun/2021:04:04:58 +0000] "-" 408 -`},
			[]string{`1.2.3.4 - - [19/Jun/2021:04:04:58 +0000] "GET /a HTTP/1.1" abc 612`},
		},
		{
			"COMBINEDAPACHELOG",
			[]string{nginxLine},
			[]string{otherLine},
		},
		{
			"HTTPD20_ERRORLOG",
			[]string{"[Tue May 18 06:25:05 2021] [error] [client 10.1.2.3] gone", "[Tue May 18 06:25:05 2021] [warn] "},
			[]string{"[Tue May 18 06:25:05 2021] error gone"},
		},
		{
			"HTTPD24_ERRORLOG",
			[]string{"[Tue May 18 06:25:05.1 2021] [core:error] [pid 99:tid 1] (2)No such file: [client 1.2.3.4:99] AH1: gone"},
			[]string{"[Tue May 18 06:25:05 2021] [error] [client 10.1.2.3] gone"},
		},
		{
			"HTTPD_ERRORLOG",
			[]string{"[Tue May 18 06:25:05 2021] [error] gone", "[Tue May 18 06:25:05.1 2021] [a:warn] [pid 9:tid 1] x: y"},
			[]string{"gone"},
		},
		{
			"COMMONENVOYACCESSLOG",
			[]string{`[2021-07-20T10:11:12Z] "GET /a?b=c HTTP/1.1" 200 - 1 2 3 4 "-" "ua" "id" "auth" "up"`},
			[]string{`[2021-07-20T10:11:12Z] "GET" 200`},
		},
	} {
		tested = append(tested, test.name)
		p, err := Compile("^(?:%{"+test.name+"})$", set)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range test.takes {
			if _, ok := p.Match(text, nil); !ok {
				t.Errorf("%s does not take %q", test.name, text)
			}
			agree(t, p, text)
		}
		for _, text := range test.not {
			if _, ok := p.Match(text, nil); ok {
				t.Errorf("%s takes %q", test.name, text)
			}
			agree(t, p, text)
		}
	}
	slices.Sort(tested)
	if names := set.Names(); !slices.Equal(tested, names) {
		t.Errorf("tested %q, want every one of %q", tested, names)
	}
}
