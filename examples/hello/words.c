/* words: the most frequent words of standard input or of the files given. Usage: words [COUNT] [FILE...] */
#define _POSIX_C_SOURCE 200809L
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct word {
  char *text;
  unsigned long count;
};

struct table {
  struct word *slots;
  size_t size; /* a power of two */
  size_t used;
  unsigned long total;
};

static void *need(void *memory) {
  if (memory == NULL) {
    fputs("words: out of memory\n", stderr);
    exit(1);
  }
  return memory;
}

static size_t hash(const char *text) {
  size_t value = 1469598103u;
  for (; *text; text++) value = (value ^ (unsigned char)*text) * 16777619u;
  return value;
}

static struct word *find(struct table *table, const char *text) {
  size_t at = hash(text) & (table->size - 1);
  while (table->slots[at].text != NULL && strcmp(table->slots[at].text, text) != 0) at = (at + 1) & (table->size - 1);
  return &table->slots[at];
}

static void grow(struct table *table) {
  struct table bigger = {need(calloc(table->size * 2, sizeof(struct word))), table->size * 2, table->used, table->total};
  for (size_t i = 0; i < table->size; i++)
    if (table->slots[i].text != NULL) *find(&bigger, table->slots[i].text) = table->slots[i];
  free(table->slots);
  *table = bigger;
}

static void count(struct table *table, const char *text) {
  if (table->used * 2 >= table->size) grow(table);
  struct word *word = find(table, text);
  if (word->text == NULL) {
    word->text = need(strdup(text));
    table->used++;
  }
  word->count++;
  table->total++;
}

static void count_stream(struct table *table, FILE *stream) {
  char text[256];
  size_t length = 0;
  for (int c;;) {
    c = getc(stream);
    if (c != EOF && (isalnum(c) || c >= 0x80)) {
      if (length < sizeof text - 1) text[length++] = (char)tolower(c);
    } else if (length > 0) {
      text[length] = '\0';
      count(table, text);
      length = 0;
    }
    if (c == EOF) return;
  }
}

static int more_first(const void *a, const void *b) {
  const struct word *x = a, *y = b;
  if (x->text == NULL || y->text == NULL) return (x->text == NULL) - (y->text == NULL);
  if (x->count != y->count) return x->count < y->count ? 1 : -1;
  return strcmp(x->text, y->text);
}

int main(int argc, char **argv) {
  struct table table = {need(calloc(1024, sizeof(struct word))), 1024, 0, 0};
  size_t most = argc > 1 ? strtoul(argv[1], NULL, 10) : 10;
  for (int i = 2; i < argc; i++) {
    FILE *file = fopen(argv[i], "r");
    if (file == NULL) {
      perror(argv[i]);
      return 1;
    }
    count_stream(&table, file);
    fclose(file);
  }
  if (argc < 3) count_stream(&table, stdin);
  qsort(table.slots, table.size, sizeof(struct word), more_first);
  for (size_t i = 0; i < table.used && i < most; i++) printf("%7lu  %s\n", table.slots[i].count, table.slots[i].text);
  printf("%zu different words, %lu in all\n", table.used, table.total);
  return 0;
}
