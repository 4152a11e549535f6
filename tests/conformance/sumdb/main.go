// Reads a served log with golang.org/x/mod/sumdb/note and tlog, code that this project did not write, and
// checks the signed checkpoint, the signed list of organs, every entry, inclusion and consistency.
//
//	sumdb ADDRESS LOG_VKEY TOKEN OLD_SIZE OLD_ROOT
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func die(format string, args ...interface{}) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(1)
}

func check(err error, what string) {
	if err != nil {
		die("%s: %v", what, err)
	}
}

func get(url, token string) []byte {
	request, err := http.NewRequest("GET", url, nil)
	check(err, url)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	check(err, url)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	check(err, url)
	if response.StatusCode != 200 {
		die("%s: %d", url, response.StatusCode)
	}
	return body
}

// What was fetched once is kept: the module asks for the same tiles for every proof.
type reader struct {
	address string
	fetched map[string][]byte
}

func (r reader) Height() int { return 8 }

// The module's own paths say "tile/8/L/N"; tlog-tiles leaves the height out.
func (r reader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var out [][]byte
	for _, tile := range tiles {
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		if r.fetched[path] == nil {
			r.fetched[path] = get(r.address+"/"+path, "")
		}
		out = append(out, r.fetched[path])
	}
	return out, nil
}

func (r reader) SaveTiles([]tlog.Tile, [][]byte) {}

func main() {
	address, vkey, token := os.Args[1], os.Args[2], os.Args[3]
	oldSize, err := strconv.ParseInt(os.Args[4], 10, 64)
	check(err, "old size")
	oldRoot, err := tlog.ParseHash(os.Args[5])
	check(err, "old root")

	verifier, err := note.NewVerifier(vkey)
	check(err, "vkey")
	signed, err := note.Open(get(address+"/checkpoint", ""), note.VerifierList(verifier))
	check(err, "checkpoint")
	lines := strings.Split(signed.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		die("checkpoint text: %q", signed.Text)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err, "size")
	root, err := base64.StdEncoding.DecodeString(lines[2])
	check(err, "root")
	tree := tlog.Tree{N: size}
	copy(tree.Hash[:], root)

	organs, err := note.Open(get(address+"/organs.txt", ""), note.VerifierList(verifier))
	check(err, "organs")
	if !strings.HasPrefix(organs.Text, "lianfang-organs/v1\n"+verifier.Name()+"\n") {
		die("organs text: %q", organs.Text)
	}

	if size == 0 {
		empty, err := tlog.TreeHash(0, nil)
		check(err, "empty tree")
		_ = empty // Go calls the empty tree's hash zero; RFC 6962 says SHA-256 of nothing
		if base64.StdEncoding.EncodeToString(root) != "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" {
			die("root of the empty tree")
		}
		fmt.Println("0 entries")
		return
	}

	// Every tile that the reader fetches is authenticated against the signed root.
	hashes := tlog.TileHashReader(tree, reader{address, map[string][]byte{}})
	whole, err := tlog.TreeHash(size, hashes)
	check(err, "tree hash")
	if whole != tree.Hash {
		die("the tiles lead to another root")
	}

	var indexes []int64
	for i := int64(0); i < size; i++ {
		indexes = append(indexes, tlog.StoredHashIndex(0, i))
	}
	leaves, err := hashes.ReadHashes(indexes)
	check(err, "leaves")

	// The tree once more, out of the entries alone.
	var stored []tlog.Hash
	own := tlog.HashReaderFunc(func(wanted []int64) ([]tlog.Hash, error) {
		var out []tlog.Hash
		for _, index := range wanted {
			out = append(out, stored[index])
		}
		return out, nil
	})
	for first := int64(0); first < size; first += 256 {
		width := size - first
		if width > 256 {
			width = 256
		}
		tile := tlog.Tile{H: 8, L: 0, N: first / 256, W: int(width)}
		path := strings.Replace(tile.Path(), "tile/8/0/", "tile/entries/", 1)
		bundle := get(address+"/"+path, token)
		for i := first; i < first+width; i++ {
			if len(bundle) < 2 {
				die("bundle %d is cut short", first)
			}
			length := int(binary.BigEndian.Uint16(bundle))
			if len(bundle) < 2+length {
				die("bundle %d is cut short", first)
			}
			leaf := tlog.RecordHash(bundle[2 : 2+length])
			if leaf != leaves[i] {
				die("entry %d is not what its hash says", i)
			}
			more, err := tlog.StoredHashesForRecordHash(i, leaf, own)
			check(err, "stored hashes")
			stored = append(stored, more...)
			bundle = bundle[2+length:]
		}
		if len(bundle) != 0 {
			die("bundle %d is too long", first)
		}
	}
	// Whatever the tiles say: the reader of x/mod 0.7 takes some of them without a look at their parents.
	whole, err = tlog.TreeHash(size, own)
	check(err, "tree hash of the entries")
	if whole != tree.Hash {
		die("the entries lead to another root")
	}

	step := size/50 + 1
	for i := int64(0); i < size; i += step {
		proof, err := tlog.ProveRecord(size, i, hashes)
		check(err, "prove record")
		check(tlog.CheckRecord(proof, size, tree.Hash, i, leaves[i]), "inclusion")
	}
	if oldSize > 0 {
		proof, err := tlog.ProveTree(size, oldSize, hashes)
		check(err, "prove tree")
		check(tlog.CheckTree(proof, size, tree.Hash, oldSize, oldRoot), "consistency")
	}
	// A proof that we made ourselves, read from standard input: index, then one hash a line.
	proofs, err := io.ReadAll(os.Stdin)
	check(err, "stdin")
	for _, block := range bytes.Split(bytes.TrimSpace(proofs), []byte("\n\n")) {
		if len(block) == 0 {
			continue
		}
		lines := strings.Split(string(block), "\n")
		index, err := strconv.ParseInt(lines[0], 10, 64)
		check(err, "own index")
		var proof tlog.RecordProof
		for _, line := range lines[1:] {
			hash, err := tlog.ParseHash(line)
			check(err, "own hash")
			proof = append(proof, hash)
		}
		check(tlog.CheckRecord(proof, size, tree.Hash, index, leaves[index]), "own inclusion proof")
	}
	fmt.Printf("%d entries\n", size)
}
