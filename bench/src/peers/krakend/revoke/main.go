// Adds revoked identifiers to the Bloom filter of a running KrakenD, by the client of its own library:
// revoke ADDRESS, with one element a line on standard input, as the filter knows it: the claim's name, a hyphen, its value.
package main

import (
	"bufio"
	"log"
	"os"

	"github.com/devopsfaith/bloomfilter/rpc/client"
)

const batch = 1000

func main() {
	filter, err := client.New(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	defer filter.Close()
	elements := [][]byte{}
	add := func() {
		if err := filter.AddBatch(elements); err != nil {
			log.Fatal(err)
		}
		elements = elements[:0]
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		elements = append(elements, []byte(lines.Text()))
		if len(elements) == batch {
			add()
		}
	}
	if len(elements) > 0 {
		add()
	}
}
