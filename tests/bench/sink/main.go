// A SCIM 2.0 app that costs next to nothing: users in memory, every request counted.
//
//	sink -port 0 -delay 20ms
//
// It prints the address it listens on as its first line. Beside SCIM it answers GET /-/counts, what was asked of it, and
// POST /-/reset, which forgets users and counts; GET /-/patches, when patches were answered. No token is checked.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"time"
)

func main() {
	log.SetFlags(0)
	port := flag.Int("port", 0, "port on 127.0.0.1; 0 takes a free one")
	delay := flag.Duration("delay", 0, "what every answer waits, such as 20ms; requests do not wait for each other")
	leash := flag.Bool("leash", false, "end when standard input ends, that is, with the process that started it")
	flag.Parse()

	// Fewer collections: what is measured runs on the same cores.
	debug.SetGCPercent(400)
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", *port))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	if *leash {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			os.Exit(0)
		}()
	}
	server := &http.Server{Handler: newApp(*delay), ReadHeaderTimeout: time.Minute}
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
}
