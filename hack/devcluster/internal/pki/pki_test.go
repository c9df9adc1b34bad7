package pki

import (
	"bytes"
	"crypto/x509"
	"os"
	"testing"
)

func newStore(t *testing.T) Store {
	t.Helper()
	s := Store{Dir: t.TempDir()}
	if err := s.EnsureCA("ca", "test-ca"); err != nil {
		t.Fatal(err)
	}
	return s
}

func mustEnsure(t *testing.T, s Store, leaf Leaf) []byte {
	t.Helper()
	if err := s.Ensure("ca", leaf); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(s.Cert(leaf.Name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestServerCertificateVerifies(t *testing.T) {
	s := newStore(t)
	mustEnsure(t, s, Leaf{Name: "server", CommonName: "server", Hosts: []string{"127.0.0.1", "kubernetes.default"}})
	cert, _, err := s.load("server")
	if err != nil {
		t.Fatal(err)
	}
	ca, _, err := s.load("ca")
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(ca)
	for _, host := range []string{"127.0.0.1", "kubernetes.default"} {
		if _, err := cert.Verify(x509.VerifyOptions{Roots: roots, DNSName: host}); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	if _, err := cert.Verify(x509.VerifyOptions{Roots: roots, DNSName: "elsewhere"}); err == nil {
		t.Error("verified for another name")
	}
}

func TestCertificateIsKeptWhileItFits(t *testing.T) {
	leaf := Leaf{Name: "node", CommonName: "system:node:node1", Organizations: []string{"system:nodes"}, Hosts: []string{"10.0.0.1"}}
	for name, tc := range map[string]struct {
		change func(t *testing.T, s Store, l *Leaf)
		kept   bool
	}{
		"nothing changed": {func(*testing.T, Store, *Leaf) {}, true},
		"another user":    {func(_ *testing.T, _ Store, l *Leaf) { l.CommonName = "system:node:node2" }, false},
		"another address": {func(_ *testing.T, _ Store, l *Leaf) { l.Hosts = []string{"10.0.0.2"} }, false},
		"fewer addresses": {func(_ *testing.T, _ Store, l *Leaf) { l.Hosts = nil }, false},
		"another CA": {func(t *testing.T, s Store, _ *Leaf) {
			if err := os.Remove(s.Cert("ca")); err != nil {
				t.Fatal(err)
			}
			if err := s.EnsureCA("ca", "test-ca"); err != nil {
				t.Fatal(err)
			}
		}, false},
		"key cut short by a kill": {func(t *testing.T, s Store, l *Leaf) {
			if err := os.WriteFile(s.Key(l.Name), []byte("-----BEG"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s, l := newStore(t), leaf
			before := mustEnsure(t, s, l)
			tc.change(t, s, &l)
			if kept := bytes.Equal(before, mustEnsure(t, s, l)); kept != tc.kept {
				t.Errorf("kept: %v, want %v", kept, tc.kept)
			}
		})
	}
}

func TestKeyPairIsKept(t *testing.T) {
	s := newStore(t)
	read := func() []byte {
		if err := s.EnsureKeyPair("sa"); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(s.PublicKey("sa"))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	if first := read(); !bytes.Equal(first, read()) {
		t.Error("the key pair changed")
	}
}

func TestKeysArePrivate(t *testing.T) {
	s := newStore(t)
	info, err := os.Stat(s.Key("ca"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		t.Errorf("mode %v", info.Mode())
	}
}
