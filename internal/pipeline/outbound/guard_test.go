package outbound

import (
	"errors"
	"net"
	"testing"
)

// Control is what a dialer calls with the address it is about to connect to,
// whatever the name resolved to before.
func TestAddresses(t *testing.T) {
	g, err := newGuard([]string{"10.1.0.0/16", "fd12::1", "192.168.7.7/24"})
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]bool{
		"1.1.1.1": true, "8.8.8.8": true, "93.184.215.14": true, "2606:4700::1111": true, "2a00:1450:4001::1": true,

		"127.0.0.1": false, "127.255.255.254": false, "::1": false, "::": false, "0.0.0.0": false, "0.1.2.3": false,
		"10.0.0.1": false, "172.16.0.1": false, "172.31.255.255": false, "192.168.0.1": false, "fc00::1": false,
		"169.254.169.254": false, "fe80::1": false, "fe80::1%eth0": false, "fd00:ec2::254": false,
		"100.64.0.1": false, "100.100.100.200": false, "168.63.129.16": false, "192.0.0.192": false,
		"198.18.0.1": false, "224.0.0.1": false, "ff02::1": false, "255.255.255.255": false, "240.0.0.1": false,
		"::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "::ffff:169.254.169.254": false, "::127.0.0.1": false,
		"64:ff9b::7f00:1": false, "64:ff9b:1::1": false, "2002:7f00:1::": false, "2001::1": false, "fec0::1": false,
		"192.0.2.1": false, "2001:db8::1": false,

		"10.1.2.3": true, "::ffff:10.1.2.3": true, "10.2.0.1": false, "fd12::1": true, "fd12::2": false, "192.168.7.1": true,
		"no address": false, "": false,
	} {
		err := g.control("tcp", net.JoinHostPort(address, "80"), nil)
		if got := err == nil; got != want || err != nil && !errors.Is(err, ErrAddress) {
			t.Errorf("%s: %v, want allowed: %v", address, err, want)
		}
	}
}
