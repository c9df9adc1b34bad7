// Package pki makes the certificates and keys of a cluster. What exists and is
// still good is kept, so that a second run changes nothing.
package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Lifetime of every certificate: longer than any development cluster's.
const lifetime = 10 * 365 * 24 * time.Hour

// Store is a directory of certificates (NAME.crt) and keys (NAME.key).
type Store struct{ Dir string }

// Cert is the path of a certificate, Key that of its key.
func (s Store) Cert(name string) string { return filepath.Join(s.Dir, name+".crt") }

// Key is the path of the named key.
func (s Store) Key(name string) string { return filepath.Join(s.Dir, name+".key") }

// PublicKey is the path of the named public key.
func (s Store) PublicKey(name string) string { return filepath.Join(s.Dir, name+".pub") }

// Leaf is a certificate to be signed by a CA.
type Leaf struct {
	Name string
	// CommonName and Organizations are the user and the groups of a client.
	CommonName    string
	Organizations []string
	// Hosts are the names and addresses of a server.
	Hosts []string
}

// EnsureCA makes a self-signed CA unless there is one.
func (s Store) EnsureCA(name, commonName string) error {
	if cert, _, err := s.load(name); err == nil && cert.IsCA && fresh(cert) {
		return nil
	}
	template, err := newTemplate(pkix.Name{CommonName: commonName})
	if err != nil {
		return err
	}
	template.IsCA = true
	template.BasicConstraintsValid = true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	return s.sign(name, template, key, template, key)
}

// Ensure makes a certificate signed by the CA, unless there is one that fits.
func (s Store) Ensure(ca string, leaf Leaf) error {
	caCert, caKey, err := s.load(ca)
	if err != nil {
		return fmt.Errorf("CA %s: %w", ca, err)
	}
	if cert, _, err := s.load(leaf.Name); err == nil && leaf.fits(cert, caCert) {
		return nil
	}
	template, err := newTemplate(pkix.Name{CommonName: leaf.CommonName, Organization: leaf.Organizations})
	if err != nil {
		return err
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	if len(leaf.Hosts) > 0 {
		// Both: etcd, for one, uses its serving certificate as a client too.
		template.ExtKeyUsage = append(template.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
	}
	for _, h := range leaf.Hosts {
		if ip := net.ParseIP(h); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, h)
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	return s.sign(leaf.Name, template, key, caCert, caKey)
}

// EnsureKeyPair makes a bare key with its public half, for signing service
// account tokens.
func (s Store) EnsureKeyPair(name string) error {
	if _, err := s.loadKey(name); err == nil {
		if _, err := os.Stat(s.PublicKey(name)); err == nil {
			return nil
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	// The public half last: it is what tells that both are there.
	return errors.Join(
		s.writeKey(name, key),
		writePEM(s.PublicKey(name), "PUBLIC KEY", public, 0o644),
	)
}

func (l Leaf) fits(cert, ca *x509.Certificate) bool {
	if !fresh(cert) || cert.CheckSignatureFrom(ca) != nil || cert.Subject.CommonName != l.CommonName {
		return false
	}
	if !slices.Equal(cert.Subject.Organization, l.Organizations) {
		return false
	}
	hosts := len(cert.DNSNames) + len(cert.IPAddresses)
	for _, h := range l.Hosts {
		if cert.VerifyHostname(h) != nil {
			return false
		}
	}
	return hosts == len(l.Hosts)
}

func fresh(cert *x509.Certificate) bool {
	now := time.Now()
	return now.After(cert.NotBefore) && now.Add(30*24*time.Hour).Before(cert.NotAfter)
}

func newTemplate(subject pkix.Name) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      subject,
		// An hour back, for clocks that differ.
		NotBefore: time.Now().Add(-time.Hour),
		NotAfter:  time.Now().Add(lifetime),
	}, nil
}

// sign writes the key and then the certificate, so that every certificate has its key.
func (s Store) sign(name string, template *x509.Certificate, key *ecdsa.PrivateKey, parent *x509.Certificate, parentKey crypto.Signer) error {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), parentKey)
	if err != nil {
		return fmt.Errorf("signing %s: %w", name, err)
	}
	if err := s.writeKey(name, key); err != nil {
		return err
	}
	return writePEM(s.Cert(name), "CERTIFICATE", der, 0o644)
}

func (s Store) writeKey(name string, key *ecdsa.PrivateKey) error {
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	return writePEM(s.Key(name), "EC PRIVATE KEY", der, 0o600)
}

func writePEM(file, kind string, der []byte, mode os.FileMode) error {
	tmp := file + ".tmp"
	if err := os.WriteFile(tmp, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), mode); err != nil {
		return err
	}
	return os.Rename(tmp, file)
}

// load reads a certificate and its key, and checks that they belong together.
func (s Store) load(name string) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	data, err := os.ReadFile(s.Cert(name))
	if err != nil {
		return nil, nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, nil, fmt.Errorf("%s holds no PEM", s.Cert(name))
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, nil, err
	}
	key, err := s.loadKey(name)
	if err != nil {
		return nil, nil, err
	}
	if public, ok := cert.PublicKey.(*ecdsa.PublicKey); !ok || !public.Equal(key.Public()) {
		return nil, nil, fmt.Errorf("%s and its key do not belong together", s.Cert(name))
	}
	return cert, key, nil
}

func (s Store) loadKey(name string) (*ecdsa.PrivateKey, error) {
	data, err := os.ReadFile(s.Key(name))
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("%s holds no PEM", s.Key(name))
	}
	return x509.ParseECPrivateKey(block.Bytes)
}
