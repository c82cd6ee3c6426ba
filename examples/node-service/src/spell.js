const words =
  'Alfa Bravo Charlie Delta Echo Foxtrot Golf Hotel India Juliett Kilo Lima Mike November Oscar Papa Quebec Romeo Sierra Tango Uniform Victor Whiskey X-ray Yankee Zulu'.split(
    ' ',
  )

/** The names of the flags that spell a word; what is no letter from A to Z has none. */
export function spell(text) {
  const letters = text.normalize('NFD').toUpperCase().match(/[A-Z]/g) ?? []
  return letters.map(letter => words[letter.charCodeAt(0) - 65])
}
