defmodule CanalLock.Web do
  @moduledoc "Answers HTTP requests, as a module of Erlang's own web server."
  require Record
  Record.defrecordp(:mod, Record.extract(:mod, from_lib: "inets/include/httpd.hrl"))

  def child_spec(port), do: %{id: __MODULE__, start: {__MODULE__, :start_link, [port]}, type: :supervisor}

  def start_link(port) do
    :inets.start(
      :httpd,
      [
        port: port,
        server_name: 'canal-lock',
        server_root: '/',
        document_root: '/',
        modules: [__MODULE__],
        bind_address: :any
      ],
      :stand_alone
    )
  end

  @doc "Called by the web server for every request."
  def unquote(:do)(request) do
    mod(method: method, request_uri: uri, entity_body: body) = request
    {status, text} = answer(to_string(method), to_string(uri), IO.iodata_to_binary(body))
    head = [code: status, content_type: 'text/plain; charset=utf-8', content_length: '#{byte_size(text)}']
    {:proceed, [response: {:response, head, [text]}]}
  end

  @doc "What a request is answered with: status and text."
  def answer("GET", "/", _), do: {200, "The lock is open. Boats waiting: #{length(CanalLock.Queue.boats())}\n"}
  def answer("GET", "/boats", _), do: {200, Enum.map_join(CanalLock.Queue.boats(), &"#{&1}\n")}

  def answer("POST", "/boats", body) do
    case String.trim(body) do
      "" ->
        {400, "a boat needs a name\n"}

      boat ->
        :ok = CanalLock.Queue.arrive(boat)
        {201, "#{boat} waits\n"}
    end
  end

  def answer("POST", "/lift", _) do
    case CanalLock.Queue.lift() do
      {:ok, boat} -> {200, "#{String.upcase(boat)} passes\n"}
      :empty -> {404, "nobody waits\n"}
    end
  end

  def answer("POST", "/crash", _) do
    CanalLock.Queue.crash()
    {202, "crashing\n"}
  end

  def answer(_, _, _), do: {404, "not here\n"}
end
