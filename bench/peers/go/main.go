// Go: ReadBatch of golang.org/x/net, which is recvmmsg(2), with 64 messages a call.
//
// As every receiver here it prints the port that it is bound to, and on SIGUSR2 what it has received so far.
package main

import (
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/net/ipv4"
)

const (
	messages = 64
	slot     = 65536
	deadline = 60 * time.Second // whatever becomes of who started it
)

var datagrams, sizes, ports, calls atomic.Uint64

func main() {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		log.Fatal(err)
	}
	if err := conn.SetReadBuffer(4 << 20); err != nil {
		log.Fatal(err)
	}
	time.AfterFunc(deadline, func() { os.Exit(3) })
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR2)
	go func() {
		for range asked {
			fmt.Printf("{\"datagrams\":%d,\"sizes\":%d,\"ports\":%d,\"calls\":%d}\n",
				datagrams.Load(), sizes.Load(), ports.Load(), calls.Load())
		}
	}()
	fmt.Printf("{\"ports\":[%d]}\n", conn.LocalAddr().(*net.UDPAddr).Port)
	log.Fatal(receive(ipv4.NewPacketConn(conn)))
}

func receive(conn *ipv4.PacketConn) error {
	batch := make([]ipv4.Message, messages)
	for i := range batch {
		batch[i].Buffers = [][]byte{make([]byte, slot)}
	}
	for {
		count, err := conn.ReadBatch(batch, 0)
		if err != nil {
			return err
		}
		var size, port uint64
		for i := range batch[:count] {
			size += uint64(batch[i].N)
			port += uint64(batch[i].Addr.(*net.UDPAddr).Port)
		}
		// Once a batch: the goroutine that prints them is another one.
		datagrams.Add(uint64(count))
		sizes.Add(size)
		ports.Add(port)
		calls.Add(1)
	}
}
