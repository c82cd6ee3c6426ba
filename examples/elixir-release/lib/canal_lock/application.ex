defmodule CanalLock.Application do
  @moduledoc "Starts the queue and the web server, and starts each again when it crashes."
  use Application

  @impl true
  def start(_type, _args) do
    port = String.to_integer(System.get_env("PORT") || "8080")
    children = [CanalLock.Queue, {CanalLock.Web, port}]
    Supervisor.start_link(children, strategy: :one_for_one, name: CanalLock.Supervisor)
  end

  @impl true
  def stop(_state), do: IO.puts("ended in order")
end
