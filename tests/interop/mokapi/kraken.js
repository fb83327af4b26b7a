// What Mokapi answers for the exchange. It holds both what it gets and what it sends to the document.
import { on } from 'mokapi'

export default function () {
  on('websocket', (event) => {
    if (event.type === 'connect') {
      event.client.send({ event: 'systemStatus', connectionID: 4711, status: 'online', version: '1.0.0' })
    }
    if (event.type === 'message' && event.message.event === 'ping') {
      event.reply({ event: 'pong', reqid: event.message.reqid })
    }
    if (event.type === 'message' && event.message.event === 'subscribe') {
      const { reqid, pair, subscription } = event.message // with defaults of the document filled in
      event.reply({ event: 'heartbeat' })
      event.reply({ event: 'currencyInfo', reqid, data: { pair, name: subscription.name } })
    }
  })
  console.log('the exchange is open')
}
