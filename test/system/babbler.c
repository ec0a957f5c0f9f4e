/*
 * babbler.c - a role of the house (messenger's place) that once says nonsense to the registrar, and tells what comes of it.
 *
 * Started by inkand as any role.  Says "babbler: link N" on standard error, which is the house's log, whenever a link to the
 * registrar is new, and babbles on the first TIMES of them.
 */
#include <stdio.h>
#include <stdlib.h>

#include "edge/ipc.h"

#define TIMES 2

int
main(void)
{
	static const uint8_t nonsense[] = "GET / HTTP/1.1\r\n\r\n";
	struct wires *w;
	unsigned links = 0;

	if (wires_open(&w).kind != OK)
		return EXIT_FAILURE;
	while (!wires_stopped(w)) {
		if (wires_wait(w, 1000).kind != OK)
			break;
		if (wires_fresh(w, PEER_REGISTRAR, 0)) {
			fprintf(stderr, "babbler: link %u\n", ++links);
			if (links <= TIMES)
				link_put(wires_find(w, PEER_REGISTRAR, 0),
				    &(struct frame){.kind = 255, .id = 1, .body = slice_of(nonsense, sizeof nonsense - 1)});
		}
		wires_flush(w);
	}
	wires_drop(&w);
	return EXIT_SUCCESS;
}
