package install_test

import (
	"bytes"
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/client-go/util/cert"
)

// certificateFiles are of a certificate for a host, as a company's own authority
// would make it.
type certificateFiles struct{ ca, crt, key string }

func makeCertificate(host string) certificateFiles {
	GinkgoHelper()
	chain, key, err := cert.GenerateSelfSignedCertKey(host, nil, nil)
	Expect(err).NotTo(HaveOccurred())
	// Its own authority's certificate comes last.
	ca := chain[bytes.LastIndex(chain, []byte("-----BEGIN")):]
	directory := GinkgoT().TempDir()
	write := func(name string, content []byte) string {
		path := filepath.Join(directory, name)
		Expect(os.WriteFile(path, content, 0o600)).To(Succeed())
		return path
	}
	return certificateFiles{ca: write("ca.crt", ca), crt: write("tls.crt", chain), key: write("tls.key", key)}
}
