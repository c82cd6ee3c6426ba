// Sends what was typed in, and shows the page again with the new signal.
const form = document.querySelector('form')

form.addEventListener('submit', async event => {
  event.preventDefault()
  const text = new FormData(form).get('text')
  const response = await fetch('/signals', { method: 'POST', body: text })
  if (response.ok) location.reload()
  else alert(`The flags could not be hoisted: ${response.status}`)
})
