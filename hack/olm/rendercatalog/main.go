// Rendercatalog renders the file-based catalog of the operator from catalog/semver.yaml, a
// semver template of opm. It does what opm's own command cannot do:
//
//   - That command pulls the bundle images that the template names. Rendercatalog reads a bundle
//     from the directory that its image is made of: --bundle IMAGE=DIR.
//   - That command names channels by major version, candidate-v0. Rendercatalog uses the channels
//     that the bundles name: candidate and stable.
//   - That command writes no skipRange. Rendercatalog takes it from the CSV's annotation
//     olm.skipRange.
//
// It validates the result as "opm validate" does. See docs/design/catalog.md.
//
// Usage: rendercatalog --bundle IMAGE=DIR... [--pin IMAGE=REFERENCE...] TEMPLATE > catalog.yaml
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"github.com/operator-framework/api/pkg/operators/v1alpha1"
	"github.com/operator-framework/operator-registry/alpha/action"
	"github.com/operator-framework/operator-registry/alpha/action/migrations"
	"github.com/operator-framework/operator-registry/alpha/declcfg"
	"github.com/operator-framework/operator-registry/alpha/template/semver"
	"sigs.k8s.io/yaml"
)

func main() {
	bundles, pins := mapping{}, mapping{}
	flag.Var(bundles, "bundle", "the directory of a bundle image, as `image=directory` (may be repeated)")
	flag.Var(pins, "pin", "what the catalog calls a bundle image instead, as `image=reference` (may be repeated)")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: rendercatalog --bundle IMAGE=DIR... [--pin IMAGE=REFERENCE...] TEMPLATE")
		os.Exit(2)
	}
	var out bytes.Buffer
	catalog, err := render(context.Background(), flag.Arg(0), bundles, pins)
	if err == nil {
		err = declcfg.WriteYAML(*catalog, &out)
	}
	if err == nil {
		err = validate(out.Bytes())
	}
	if err == nil {
		_, err = os.Stdout.Write(out.Bytes())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "rendercatalog:", err)
		os.Exit(1)
	}
}

// render returns the catalog of a template.
func render(ctx context.Context, path string, directories, pins mapping) (*declcfg.DeclarativeConfig, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	// Only the metadata of the CSV, so that the catalog stays small. OLM takes the rest from the
	// bundle's image.
	metadataOnly, err := migrations.NewMigrations("bundle-object-to-csv-metadata")
	if err != nil {
		return nil, err
	}

	csvs := map[string]*v1alpha1.ClusterServiceVersion{}
	catalog, err := semver.Template{Data: file, RenderBundle: func(ctx context.Context, image string) (*declcfg.DeclarativeConfig, error) {
		directory, known := directories[image]
		if !known {
			return nil, fmt.Errorf("%s names the bundle image %s, whose directory is not known: give --bundle %s=DIR", path, image, image)
		}
		csv, err := readCSV(directory)
		if err != nil {
			return nil, err
		}
		csvs[csv.Name] = csv
		reference := image
		if pin := pins[image]; pin != "" {
			reference = pin
		}
		name, err := template.New("").Parse(reference)
		if err != nil {
			return nil, err
		}
		return action.Render{
			Refs:             []string{directory},
			AllowedRefMask:   action.RefBundleDir,
			ImageRefTemplate: name,
			Migrations:       metadataOnly,
		}.Run(ctx)
	}}.Render(ctx)
	if err != nil {
		return nil, err
	}

	defaultChannel, err := finishChannels(catalog, csvs)
	if err != nil {
		return nil, err
	}
	for i := range catalog.Packages {
		if err := finishPackage(&catalog.Packages[i], defaultChannel, latest(catalog, defaultChannel, csvs)); err != nil {
			return nil, err
		}
	}
	return catalog, nil
}

// validate reads a written catalog and checks it as "opm validate" does.
func validate(written []byte) error {
	catalog, err := declcfg.LoadReader(bytes.NewReader(written))
	if err != nil {
		return fmt.Errorf("the catalog cannot be read back: %w", err)
	}
	if _, err := declcfg.ConvertToModel(*catalog); err != nil {
		return fmt.Errorf("the catalog is not valid: %w", err)
	}
	return nil
}

// finishChannels gives the channels their plain names and the entries their
// skipRange, and returns the name of the default channel.
func finishChannels(catalog *declcfg.DeclarativeConfig, csvs map[string]*v1alpha1.ClusterServiceVersion) (string, error) {
	defaultChannel := ""
	seen := map[string]bool{}
	for i := range catalog.Channels {
		channel := &catalog.Channels[i]
		name, _, _ := strings.Cut(channel.Name, "-v")
		if seen[name] {
			return "", fmt.Errorf("channel %s would have two major versions; decide what it is called before a second one comes", name)
		}
		seen[name] = true
		if channel.Name == catalog.Packages[0].DefaultChannel {
			defaultChannel = name
		}
		channel.Name = name
		for j := range channel.Entries {
			entry := &channel.Entries[j]
			csv := csvs[entry.Name]
			if entry.Replaces != csv.Spec.Replaces {
				return "", fmt.Errorf("%s replaces %q by its CSV, and %q in channel %s: set spec.replaces in the base of the CSV",
					entry.Name, csv.Spec.Replaces, entry.Replaces, name)
			}
			entry.SkipRange = csv.Annotations["olm.skipRange"]
		}
	}
	slices.SortFunc(catalog.Channels, func(a, b declcfg.Channel) int { return strings.Compare(a.Name, b.Name) })
	return defaultChannel, nil
}

// latest returns the CSV at the head of a channel, whose entries are in order of their versions.
func latest(catalog *declcfg.DeclarativeConfig, name string, csvs map[string]*v1alpha1.ClusterServiceVersion) *v1alpha1.ClusterServiceVersion {
	for _, channel := range catalog.Channels {
		if channel.Name == name {
			return csvs[channel.Entries[len(channel.Entries)-1].Name]
		}
	}
	return nil
}

// finishPackage adds what a catalog shows of a package before a version is chosen.
func finishPackage(p *declcfg.Package, defaultChannel string, csv *v1alpha1.ClusterServiceVersion) error {
	if csv == nil {
		return errors.New("no channel is the default")
	}
	p.DefaultChannel = defaultChannel
	p.Description = csv.Annotations["description"]
	return nil
}

func readCSV(bundle string) (*v1alpha1.ClusterServiceVersion, error) {
	paths, err := filepath.Glob(filepath.Join(bundle, "manifests", "*.clusterserviceversion.yaml"))
	if err != nil {
		return nil, err
	}
	if len(paths) != 1 {
		return nil, fmt.Errorf("%s/manifests has %d CSVs, and needs one", bundle, len(paths))
	}
	content, err := os.ReadFile(paths[0])
	if err != nil {
		return nil, err
	}
	csv := &v1alpha1.ClusterServiceVersion{}
	if err := yaml.Unmarshal(content, csv); err != nil {
		return nil, fmt.Errorf("%s: %w", paths[0], err)
	}
	return csv, nil
}

// mapping is a flag that may be repeated.
type mapping map[string]string

func (m mapping) String() string { return "" }

func (m mapping) Set(value string) error {
	from, to, ok := strings.Cut(value, "=")
	if !ok || from == "" || to == "" {
		return fmt.Errorf("%q: write IMAGE=VALUE", value)
	}
	m[from] = to
	return nil
}
